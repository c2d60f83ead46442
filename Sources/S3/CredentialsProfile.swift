//! One profile of the AWS tools' shared files, read from bytes that someone else has read.

/// What `~/.aws/credentials` or `~/.aws/config` says of one profile (AWS SDKs and Tools Reference
/// Guide, "Shared config and credentials files").
///
/// Either file may hold a part, so all is optional here; `merged(with:)` puts two together and
/// `credentials()` asks for what must be there. An `endpoint_url` is not taken: which cluster is
/// meant is said on the command line.
public struct CredentialsProfile: Hashable, Sendable {
    public let name: String
    public private(set) var accessKey: String?
    public private(set) var region: String?
    private var secret: String?
    private var sessionToken: String?

    /// Parses the text of either file. Sections may be called `[name]` or `[profile name]`; of a
    /// key given twice the last counts. Nested settings, which are indented below their key, are
    /// skipped.
    public init(_ text: [UInt8], name: String) throws(CredentialsProfileError) {
        self.name = name
        var section: String?
        var indentOfSettings: Int?
        var isFound = false
        for (index, line) in profileLines(text).enumerated() {
            switch try ProfileLine(line, number: index + 1) {
            case .nothing: break
            case .section(let title):
                section = title
                indentOfSettings = nil
                if title == name { isFound = true }
            case .setting(let indent, let key, let value):
                guard section != nil else { throw .settingOutsideSection(line: index + 1) }
                if indent > (indentOfSettings ?? indent) { continue }
                indentOfSettings = indent
                if section == name { set(key, value) }
            case .other(let indent):
                if let indentOfSettings, indent > indentOfSettings { continue }
                throw .unreadable(line: index + 1)
            }
        }
        guard isFound else { throw .profileMissing(name) }
    }

    /// This profile, with what it lacks taken from `other`. The keys are taken together or not at
    /// all, since those of two files need not belong together.
    public func merged(with other: CredentialsProfile) -> CredentialsProfile {
        var merged = self
        merged.region = region ?? other.region
        if accessKey == nil && secret == nil {
            (merged.accessKey, merged.secret) = (other.accessKey, other.secret)
            merged.sessionToken = other.sessionToken
        }
        return merged
    }

    public func credentials() throws(CredentialsProfileError) -> Credentials {
        guard let accessKey else { throw .keyMissing("aws_access_key_id", profile: name) }
        guard let secret else { throw .keyMissing("aws_secret_access_key", profile: name) }
        do throws(CredentialsError) {
            return try Credentials(accessKey: accessKey, secret: secret, sessionToken: sessionToken)
        } catch {
            throw .invalid(error, profile: name)
        }
    }

    private mutating func set(_ key: String, _ value: String) {
        let value = value.isEmpty ? nil : value
        switch key {
        case "aws_access_key_id": accessKey = value
        case "aws_secret_access_key": secret = value
        case "aws_session_token": sessionToken = value
        case "region": region = value
        default: break
        }
    }
}

extension CredentialsProfile: CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    public var description: String {
        "CredentialsProfile(\(name), accessKey: \(accessKey ?? "-"), region: \(region ?? "-"), secret: ******)"
    }

    public var debugDescription: String { description }

    public var customMirror: Mirror { Mirror(self, children: ["profile": description]) }
}

/// Why a profile could not be had. It names a line or a key, and never repeats what stands there.
public enum CredentialsProfileError: Error, Hashable {
    case unreadable(line: Int)
    case settingOutsideSection(line: Int)
    case profileMissing(String)
    case keyMissing(String, profile: String)
    case invalid(CredentialsError, profile: String)
}

extension CredentialsProfileError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let line):
            "line \(line) is neither \"[profile]\", \"key = value\" nor a comment"
        case .settingOutsideSection(let line): "line \(line) stands before the first \"[profile]\""
        case .profileMissing(let name):
            "there is no profile \"\(name)\": add \"[\(name)]\" or name another profile"
        case .keyMissing(let key, let profile):
            "the profile \"\(profile)\" has no \(key): only profiles with static keys can be used"
        case .invalid(let error, let profile): "in the profile \"\(profile)\", \(error)"
        }
    }
}

/// What a line of the file is.
private enum ProfileLine {
    case nothing
    case section(String)
    case setting(indent: Int, key: String, value: String)
    case other(indent: Int)

    init(_ line: Substring, number: Int) throws(CredentialsProfileError) {
        let indent = line.prefix(while: isBlank).count
        let content = trimmed(line)
        if content.isEmpty || content.hasPrefix("#") || content.hasPrefix(";") {
            self = .nothing
        } else if content.hasPrefix("[") {
            guard let end = content.firstIndex(of: "]") else { throw .unreadable(line: number) }
            self = .section(Self.title(content[..<end].dropFirst()))
        } else if let equals = content.firstIndex(of: "=") {
            let value = withoutComment(content[content.index(after: equals)...])
            self = .setting(
                indent: indent, key: trimmed(content[..<equals]).lowercased(),
                value: String(trimmed(value)))
        } else {
            self = .other(indent: indent)
        }
    }

    /// `profile NAME` and `NAME` are the same to us.
    private static func title(_ text: Substring) -> String {
        let text = trimmed(text)
        guard text.hasPrefix("profile"), let first = text.dropFirst(7).first, isBlank(first) else {
            return String(text)
        }
        return String(trimmed(text.dropFirst(7)))
    }
}

private func profileLines(_ text: [UInt8]) -> [Substring] {
    var text = Substring(String(decoding: text, as: UTF8.self))
    if text.hasPrefix("\u{feff}") { text = text.dropFirst() }
    return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
}

/// A comment in a value begins with a space: secrets may hold "#" and ";".
private func withoutComment(_ value: Substring) -> Substring {
    let start = value.indices.first { index in
        guard value[index] == "#" || value[index] == ";", index > value.startIndex else {
            return false
        }
        return isBlank(value[value.index(before: index)])
    }
    return value[..<(start ?? value.endIndex)]
}

private func trimmed(_ text: Substring) -> Substring {
    var text = text.drop(while: isBlank)
    while let last = text.last, isBlank(last) { text.removeLast() }
    return text
}

private func isBlank(_ character: Character) -> Bool {
    character == " " || character == "\t"
}
