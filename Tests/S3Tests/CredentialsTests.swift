//! Keys: they never print, and profiles are read as the AWS tools write them.

import S3
import Testing

@Suite struct CredentialsTests {
    @Test func secretsNeverPrint() throws {
        let credentials = try Credentials(
            accessKey: "AKID", secret: "hush", sessionToken: "whisper")
        let signer = Signer(
            endpoint: try Endpoint("http://host"), credentials: credentials, region: "r")
        var dumped = ""
        dump(credentials, to: &dumped)
        dump(signer, to: &dumped)
        dump(["both": (credentials, signer)], to: &dumped)
        dumped +=
            "\(credentials) \(signer) \(String(reflecting: credentials)) \(String(reflecting: signer))"
        #expect(!dumped.contains("hush"))
        #expect(!dumped.contains("whisper"))
        #expect(credentials.description.contains("AKID"))
        #expect(credentials.description.contains("******"))
    }

    @Test func signedRequestPrintsNoHeaders() throws {
        let credentials = try Credentials(accessKey: "AKID", secret: "s", sessionToken: "whisper")
        var signer = Signer(
            endpoint: try Endpoint("http://host"), credentials: credentials, region: "r")
        var signed = SignedRequest()
        signer.sign(
            HeadBucket.request(bucket: "b"), at: Timestamp(secondsSince1970: 0), into: &signed)
        var dumped = "\(signed) \(String(reflecting: signed))"
        dump(signed, to: &dumped)
        #expect(!dumped.contains("whisper"))
        #expect(!dumped.contains("Signature"))
        #expect(signed.description == "HEAD http://host/b")
    }

    @Test(arguments: [
        ("", "s", "", CredentialsError.empty("access key")), ("a", "", "", .empty("secret key")),
        ("a\r\nx: y", "s", "", .blank("access key")), ("a", "hush\n", "", .blank("secret key")),
        ("a", " hush", "", .blank("secret key")), ("a", "s", "hush\t", .blank("session token")),
    ])
    func refuses(accessKey: String, secret: String, token: String, error: CredentialsError) {
        #expect(throws: error) {
            try Credentials(accessKey: accessKey, secret: secret, sessionToken: token)
        }
        #expect(!error.description.contains("hush"))
    }

    @Test func emptyTokenIsNone() throws {
        #expect(try Credentials(accessKey: "a", secret: "s", sessionToken: "").sessionToken == nil)
    }
}

@Suite struct CredentialsProfileTests {
    private let credentialsFile = """
        \u{feff}# the keys
        [default]
        aws_access_key_id = AKID
        aws_secret_access_key=abc/def+ghi==

        ; another
        [other profile]
          aws_access_key_id=OTHER
          aws_secret_access_key = a=b#c;d  # said aloud
          aws_session_token = token
        """

    @Test func readsTheDefault() throws {
        let profile = try CredentialsProfile(Array(credentialsFile.utf8), name: "default")
        let credentials = try Credentials(accessKey: "AKID", secret: "abc/def+ghi==")
        #expect(try profile.credentials() == credentials)
        #expect(profile.region == nil)
    }

    @Test func readsIndentedSettingsAndComments() throws {
        let profile = try CredentialsProfile(Array(credentialsFile.utf8), name: "other profile")
        let credentials = try Credentials(
            accessKey: "OTHER", secret: "a=b#c;d", sessionToken: "token")
        #expect(try profile.credentials() == credentials)
    }

    @Test func readsCarriageReturns() throws {
        let text = credentialsFile.replacing("\n", with: "\r\n")
        let profile = try CredentialsProfile(Array(text.utf8), name: "default")
        #expect(try profile.credentials().secret == "abc/def+ghi==")
    }

    @Test func readsAConfigFileAndSkipsNestedSettings() throws {
        let config = """
            [profile x]
            s3 =
                region = nested
                max_concurrent_requests = 20
                addressing_style
            region = eu-central-1
            endpoint_url = http://ignored
            AWS_ACCESS_KEY_ID = AKID
            [ profile  y ]
            region =
            """
        let x = try CredentialsProfile(Array(config.utf8), name: "x")
        #expect(x.region == "eu-central-1")
        #expect(x.accessKey == "AKID")
        #expect(try CredentialsProfile(Array(config.utf8), name: "y").region == nil)
        #expect(throws: CredentialsProfileError.keyMissing("aws_secret_access_key", profile: "x")) {
            try x.credentials()
        }
    }

    @Test func lastOfTwoCounts() throws {
        let text = "[a]\nregion=1\nregion=2\n[b]\nregion=3\n[a]\nregion=4"
        #expect(try CredentialsProfile(Array(text.utf8), name: "a").region == "4")
    }

    @Test func mergesKeysOnlyTogether() throws {
        func profile(_ text: String) throws -> CredentialsProfile {
            try CredentialsProfile(Array("[p]\n\(text)".utf8), name: "p")
        }
        let keys = try profile("aws_access_key_id=K\naws_secret_access_key=S")
        let others = try profile(
            "aws_access_key_id=O\naws_secret_access_key=P\naws_session_token=T\nregion=r")
        let merged = keys.merged(with: others)
        #expect(merged.region == "r")
        #expect(try merged.credentials() == Credentials(accessKey: "K", secret: "S"))
        let fromOther = try profile("region=q").merged(with: others)
        #expect(try fromOther.credentials().sessionToken == "T")
        #expect(fromOther.region == "q")
    }

    @Test(arguments: [
        ("[a]\nhush", CredentialsProfileError.unreadable(line: 2)),
        ("# x\n\n[a\nk=hush", .unreadable(line: 3)),
        ("k = hush\n[a]", .settingOutsideSection(line: 1)),
        ("[b]\nk = hush", .profileMissing("a")),
        ("", .profileMissing("a")),
    ])
    func refuses(text: String, error: CredentialsProfileError) {
        #expect(throws: error) { try CredentialsProfile(Array(text.utf8), name: "a") }
        #expect(!error.description.contains("hush"))
    }

    @Test func secretsOfAProfileNeverPrint() throws {
        let text =
            "[a]\naws_access_key_id=AKID\naws_secret_access_key=hush hush\naws_session_token=whisper"
        let profile = try CredentialsProfile(Array(text.utf8), name: "a")
        var dumped = "\(profile) \(String(reflecting: profile))"
        dump(profile, to: &dumped)
        let error = try #require(throws: CredentialsProfileError.self) { try profile.credentials() }
        dumped += error.description
        #expect(!dumped.contains("hush"))
        #expect(!dumped.contains("whisper"))
    }
}
