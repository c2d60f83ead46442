//! Each shim is called, each option is accepted by this libcurl, and errors name the option.

import Glibc
import Testing

@testable import Curl

@Suite struct OptionTests {
    @Test func initialisesAnyNumberOfTimes() throws {
        for _ in 1...3 { try Curl.initialize() }
        #expect(Curl.version.hasPrefix("libcurl/"))
    }

    @Test func acceptsAllSettings() throws {
        var settings = EasySettings()
        settings.tls.caFile = "/nowhere"
        settings.tls.caPath = "/nowhere"
        settings.tls.clientCert = "/nowhere"
        settings.tls.clientKey = "/nowhere"
        settings.tls.verifyPeer = false
        settings.tls.verifyHost = false
        let easy = try EasyHandle(callbacks: Recorder(), slot: 7, settings: settings)
        easy.close()
    }

    @Test func refusesABadSettingByName() throws {
        var settings = EasySettings()
        settings.lowSpeedLimitBytes = -1
        let callbacks = Recorder()
        let error = #expect(throws: CurlError.self) {
            try EasyHandle(callbacks: callbacks, slot: 0, settings: settings).close()
        }
        #expect(error?.code == CurlError.badFunctionArgument)
        #expect(error?.message.contains("CURLOPT_LOW_SPEED_LIMIT") == true)
        // The callbacks are free again.
        try EasyHandle(callbacks: callbacks, slot: 0, settings: .brisk).close()
    }

    @Test func callsEachShimOfSetopt() throws {
        try withEasy { easy in
            try easy.set(.noSignal, true)
            try easy.set(.bufferSize, 65536)
            try easy.set(.inFileSize, 1 << 40)
            try easy.set(.userAgent, "a")
            try easy.set(.userAgent, nil)
            try [UInt8]("http://a\u{0}".utf8).withUnsafeBufferPointer {
                try easy.set(.url, bytes: try #require($0.baseAddress))
            }
            try easy.set(.privateData, nil)
            let list = HeaderList()
            try easy.set(.httpHeader, list.first)
            try easy.set(.writeFunction, receiveBody)
            try easy.setSeekFunction(rewindBody)
            try easy.setPrerequestFunction(beginSending)
        }
    }

    @Test func callsEachShimOfGetinfo() throws {
        try withEasy { easy in
            #expect(easy.get(.responseCode) == 0)
            #expect(easy.get(.uploadSize) == 0)
            #expect(easy.get(.primaryIP) == "")
            #expect(easy.get(.privateData) != nil)
            let pointer = UnsafeMutableRawPointer(bitPattern: 42)
            try easy.set(.privateData, pointer)
            #expect(easy.get(.privateData) == pointer)
        }
    }

    /// Without file descriptors a multi handle cannot be woken, and it must say so at once.
    @Test func needsFileDescriptors() async {
        await #expect(processExitsWith: .success) {
            try Curl.initialize()
            var limit = rlimit(rlim_cur: 3, rlim_max: 3)
            setrlimit(__rlimit_resource_t(7), &limit)
            let error = try #require(throws: CurlError.self) {
                try MultiHandle(connectionCacheSize: 2).close()
            }
            exit(
                error.origin == .multi && error.symbol == "CURLM_WAKEUP_FAILURE"
                    && error.message.contains("ulimit -n") ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }

    @Test(arguments: [
        (CurlError.couldntConnect, "CURLE_COULDNT_CONNECT", 7),
        (CurlError.partialFile, "CURLE_PARTIAL_FILE", 18),
        (CurlError.operationTimedOut, "CURLE_OPERATION_TIMEDOUT", 28),
        (CurlError.sendFailRewind, "CURLE_SEND_FAIL_REWIND", 65),
    ])
    func namesTheCodes(_ code: Int32, symbol: String, number: Int32) {
        #expect(code == number)
        let error = CurlError(code: code, message: "m")
        #expect(error.symbol == symbol)
        #expect("\(error)" == "m (\(symbol) \(number))")
    }

    @Test func namesNoUnknownCode() {
        #expect(CurlError(code: 9999, message: "m").symbol == nil)
        #expect("\(CurlError(code: 9999, message: "m"))" == "m (CURLE 9999)")
        #expect("\(CurlError(origin: .multi, code: 9999, message: "m"))" == "m (CURLM 9999)")
    }

    private func withEasy(_ body: (EasyPointer) throws -> Void) throws {
        let slot = try Slot(0, .brisk)
        defer { slot.easy.take()?.close() }
        guard let pointer = slot.easy?.easy else { return }
        try body(pointer)
    }
}
