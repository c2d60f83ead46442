//! https with a certificate of our own making: refused without its authority, accepted with it.

import Glibc
import Testing

@testable import Curl

@Suite struct TLSTests {
    @Test func refusesAnUnknownAuthority() throws {
        let server = try TLSServer()
        defer { server.stop() }
        let client = try Client()
        let error = try #require(try client.run(TestRequest(.get, server.url)))
        #expect(error.code == CurlError.peerFailedVerification)
        #expect(error.message.contains("self-signed certificate"), "\(error)")
        #expect(client.facts.responseCode == 0)
    }

    @Test func acceptsAKnownAuthority() throws {
        let server = try TLSServer()
        defer { server.stop() }
        var settings = EasySettings.brisk
        settings.tls.caFile = server.certificate
        let client = try Client(settings)
        for _ in 1...2 {
            #expect(try client.run(TestRequest(.get, server.url)) == nil)
            #expect(client.facts.responseCode == 200)
            // The page of s_server tells what was agreed on.
            #expect(client.recorder.bodyText.contains("Cipher is TLS_AES_128_GCM_SHA256"))
        }
    }

    @Test func refusesAnotherHost() throws {
        let server = try TLSServer(host: "other.example")
        defer { server.stop() }
        var settings = EasySettings.brisk
        settings.tls.caFile = server.certificate
        let error = try #require(try Client(settings).run(TestRequest(.get, server.url)))
        #expect(error.code == CurlError.peerFailedVerification)
        #expect(error.message.contains("127.0.0.1"), "\(error)")
        settings.tls.verifyHost = false
        #expect(try Client(settings).run(TestRequest(.get, server.url)) == nil)
    }

    @Test func acceptsAnythingWhenToldSo() throws {
        let server = try TLSServer(host: "other.example")
        defer { server.stop() }
        var settings = EasySettings.brisk
        settings.tls.verifyPeer = false
        settings.tls.verifyHost = false
        #expect(try Client(settings).run(TestRequest(.get, server.url)) == nil)
    }

    @Test func namesAMissingAuthorityFile() throws {
        let server = try TLSServer()
        defer { server.stop() }
        var settings = EasySettings.brisk
        settings.tls.caFile = "/no/such/file.pem"
        let error = try #require(try Client(settings).run(TestRequest(.get, server.url)))
        #expect(error.code == CurlError.sslCACertBadFile)
        #expect(error.message.contains("/no/such/file.pem"), "\(error)")
    }

    @Test func failsWithAServerThatSpeaksNoTLS() throws {
        let server = try ScriptedServer([.send(response("plain")), .close])
        let url = "https://127.0.0.1:\(server.port)/"
        let error = try #require(try Client().run(TestRequest(.get, url)))
        #expect(error.code == CurlError.sslConnectError, "\(error)")
        _ = try server.finish()
    }
}

/// `openssl s_server -www` on a free port, with a new certificate of its own. It would agree to
/// HTTP/2 and cannot speak it: a client that offers it fails.
private final class TLSServer {
    let certificate: String
    let url: String
    private let folder: String
    private let process: pid_t

    init(host: String = "127.0.0.1") throws {
        var template = Array("/tmp/curl-tests-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ScriptFault(faults: ["mkdtemp: \(errno)"]) }
        folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        certificate = "\(folder)/cert.pem"
        let key = "\(folder)/key.pem"
        let name = host.first?.isNumber == true ? "IP:\(host)" : "DNS:\(host)"
        let make = try spawn([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-noenc", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=test",
            "-addext", "subjectAltName=\(name)",
        ])
        waitpid(make.process, nil, 0)
        close(make.output)
        let server = try spawn([
            "openssl", "s_server", "-www", "-accept", "127.0.0.1:0", "-key", key, "-cert",
            certificate,
            "-alpn", "h2,http/1.1",
        ])
        process = server.process
        url = "https://127.0.0.1:\(try Self.port(from: server.output))/"
        close(server.output)
    }

    func stop() {
        // The threads of the tests block SIGTERM, and a child inherits that.
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        for name in ["cert.pem", "key.pem"] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    /// Reads up to "ACCEPT 127.0.0.1:PORT".
    private static func port(from output: Int32) throws -> String {
        var text = ""
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1 {
            text.unicodeScalars.append(Unicode.Scalar(byte))
            guard byte == 10, let colon = text.lastIndex(of: ":"), text.contains("ACCEPT") else {
                continue
            }
            return String(text[text.index(after: colon)...].dropLast())
        }
        throw ScriptFault(faults: ["openssl s_server did not start: \(text)"])
    }
}

/// Starts a program with its output in a pipe and its errors nowhere.
private func spawn(_ arguments: [String]) throws -> (process: pid_t, output: Int32) {
    var pipeEnds: [Int32] = [0, 0]
    pipe(&pipeEnds)
    for end in pipeEnds { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, pipeEnds[1], 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var process: pid_t = 0
    let code = posix_spawnp(&process, arguments[0], &actions, nil, &pointers, environ)
    close(pipeEnds[1])
    guard code == 0 else { throw ScriptFault(faults: ["cannot start \(arguments[0]): \(code)"]) }
    return (process, pipeEnds[0])
}
