//! One side's flags, environment and profile, made into what the engine wants.

internal import ArgumentParser
internal import Engine
internal import Glibc
internal import Linux
internal import Migration
internal import S3

/// The options of one side, whichever it is.
struct SideOptions: Sendable {
    var flag: String
    var environment: String
    var url: String?
    var bucket: String?
    var key: String?
    var secret: String?
    var profile: String?
    var region: String?
    var tls: TLSChoices

    init(_ source: SourceOptions) {
        flag = "--src"
        environment = "S3MIGRATE_SRC"
        url = source.srcUrl
        bucket = source.srcBucket
        key = source.srcKey
        secret = source.srcSecret
        profile = source.srcProfile
        region = source.srcRegion
        tls = TLSChoices(
            caFile: source.srcCaFile, clientCertificate: source.srcClientCert,
            clientKey: source.srcClientKey, isInsecure: source.srcInsecure)
    }

    init(_ target: TargetOptions) {
        flag = "--dest"
        environment = "S3MIGRATE_DEST"
        url = target.destUrl
        bucket = target.destBucket
        key = target.destKey
        secret = target.destSecret
        profile = target.destProfile
        region = target.destRegion
        tls = TLSChoices(
            caFile: target.destCaFile, clientCertificate: target.destClientCert,
            clientKey: target.destClientKey, isInsecure: target.destInsecure)
    }

    func settings() throws -> SideSettings {
        let endpoint = try endpoint()
        let bucket = try checkedBucket()
        let profile = try readProfile()
        let credentials = try credentials(profile)
        for file in [tls.caFile, tls.clientCertificate, tls.clientKey].compactMap({ $0 })
        where access(file, R_OK) != 0 {
            throw ValidationError("\(file) cannot be read: \(SystemError(code: errno).reason)")
        }
        var settings = SideSettings(
            endpoint: endpoint, bucket: bucket, region: region ?? profile?.region ?? "us-east-1",
            credentials: credentials, tls: tls)
        settings.renewal = renewal(of: credentials)
        return settings
    }

    /// Temporary credentials of a profile are read again when they expire; flags and the environment of a running
    /// program never change.
    private func renewal(of credentials: Credentials) -> CredentialsRenewal? {
        guard takesProfile, let profile, credentials.sessionToken != nil else { return nil }
        return CredentialsRenewal(name: "the profile '\(profile)'") {
            () throws(CredentialsProblem) in
            do {
                return try self.credentials(readProfile())
            } catch {
                throw CredentialsProblem("\(error)")
            }
        }
    }

    /// Whether the profile's keys count.
    private var takesProfile: Bool {
        (key ?? variable("KEY")) == nil && (secret ?? variable("SECRET")) == nil && profile != nil
    }

    private func endpoint() throws -> Endpoint {
        guard let url else { throw missing("url", "the endpoint, http://HOST:PORT") }
        do {
            return try Endpoint(url)
        } catch {
            // A URL with a user in it may have a password in it.
            let shown = url.contains("@") ? "" : " '\(url)'"
            throw ValidationError("\(flag)-url\(shown): \(error)")
        }
    }

    private func checkedBucket() throws -> String {
        guard let bucket else { throw missing("bucket", "the bucket's name") }
        do {
            return try BucketName(bucket).text
        } catch {
            throw ValidationError("\(flag)-bucket: \(error)")
        }
    }

    /// A flag counts before the environment, the environment before a profile.
    private func credentials(_ profile: CredentialsProfile?) throws -> Credentials {
        let key = key ?? variable("KEY")
        let secret = secret ?? variable("SECRET")
        if takesProfile, let profile {
            do {
                return try profile.credentials()
            } catch {
                throw ValidationError("\(flag)-profile: \(error)")
            }
        }
        guard let key else {
            throw missing("key", "the access key (or \(environment)_KEY, or \(flag)-profile)")
        }
        guard let secret else {
            throw missing("secret", "the secret (or \(environment)_SECRET, or \(flag)-profile)")
        }
        do {
            return try Credentials(
                accessKey: key, secret: secret, sessionToken: variable("SESSION_TOKEN"))
        } catch {
            throw ValidationError("\(flag)-key and \(flag)-secret: \(error)")
        }
    }

    private func variable(_ name: String) -> String? {
        getenv("\(environment)_\(name)").map { String(cString: $0) }.flatMap {
            $0.isEmpty ? nil : $0
        }
    }

    private func missing(_ name: String, _ what: String) -> ValidationError {
        ValidationError("\(flag)-\(name) is missing: \(what)")
    }

    // MARK: - The profile

    /// Looks the profile up where the AWS tools do: the credentials file, then the configuration.
    private func readProfile() throws -> CredentialsProfile? {
        guard let profile else { return nil }
        let home = getenv("HOME").map { String(cString: $0) } ?? ""
        func place(_ variable: String, usual: String) -> String {
            getenv(variable).map { String(cString: $0) } ?? "\(home)/.aws/\(usual)"
        }
        let places = [
            place("AWS_SHARED_CREDENTIALS_FILE", usual: "credentials"),
            place("AWS_CONFIG_FILE", usual: "config"),
        ]
        var found: CredentialsProfile?
        var problems: [String] = []
        for place in places {
            do {
                guard let text = try readFile(path: place) else {
                    problems.append("\(place) does not exist")
                    continue
                }
                let parsed = try CredentialsProfile(text, name: profile)
                found = found?.merged(with: parsed) ?? parsed
            } catch {
                problems.append("\(place): \(error)")
            }
        }
        guard let found else {
            throw ValidationError(
                "\(flag)-profile \(profile): \(problems.joined(separator: "; "))")
        }
        return found
    }
}
