//! An HTTP/1.1 server that does what a script says, byte for byte, and remembers what it was sent.

// The compiler takes <sys/socket.h>, which curl.h includes, now for Glibc's, now for CCurl's.
import CCurl
import Glibc
import Synchronization

/// One thing that the server does on a connection.
enum Step: Sendable {
    /// Reads a head and the body that its Content-Length announces, and records both.
    case readRequest
    /// Reads a head and so many bytes of the body, and records them.
    case readHead(bodyByteCount: Int = 0)
    case send(String)
    case sendBytes([UInt8])
    /// Closes the connection, in order.
    case close
    /// Closes the connection with RST.
    case reset
    /// Answers each request so until the client goes away.
    case answerAll(String)
    /// Neither reads nor writes until `finish`.
    case idle
    /// Says nothing until the client goes away.
    case hold
}

/// Listens on 127.0.0.1; the n-th connection plays the n-th script.
final class ScriptedServer: Sendable {
    private struct State {
        var requests: [[UInt8]] = []
        var connectionCount = 0
        var openSockets: [Int32] = []
        var faults: [String] = []
        var threads: [pthread_t] = []
    }

    let port: UInt16
    private let scripts: [[Step]]
    /// Whether the first script is for every connection.
    private let isForAny: Bool
    private let listener: Int32
    private let state = Mutex(State())

    init(_ scripts: [Step]...) throws {
        self.scripts = scripts
        isForAny = false
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        port = try listenOnLoopback(listener)
        startThread { self.acceptAll() }
    }

    /// Any number of connections, all with the same script.
    init(each script: [Step]) throws {
        scripts = [script]
        isForAny = true
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        port = try listenOnLoopback(listener)
        startThread { self.acceptAll() }
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Ends the server and returns the requests in the order in which they came.
    ///
    /// A step that was not played is an error: then the test did not test what it says.
    func finish() throws -> [[UInt8]] {
        shutdown(listener, Int32(SHUT_RDWR))
        for socket in state.withLock({ $0.openSockets }) { shutdown(socket, Int32(SHUT_RDWR)) }
        while let thread = state.withLock({ $0.threads.popLast() }) { pthread_join(thread, nil) }
        Glibc.close(listener)
        return try state.withLock { state in
            if !isForAny, state.connectionCount != scripts.count {
                state.faults.append("\(state.connectionCount) of \(scripts.count) connections made")
            }
            guard state.faults.isEmpty else { throw ScriptFault(faults: state.faults) }
            return state.requests
        }
    }

    /// `finish`, as text; bytes that are no UTF-8 are replaced.
    func finishAsText() throws -> [String] {
        try finish().map { String(decoding: $0, as: UTF8.self) }
    }

    private func startThread(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(ThreadBody(body))
        var thread = pthread_t()
        // The lock keeps `finish` from missing a thread that is being made.
        state.withLock { state in
            pthread_create(&thread, nil, runThreadBody, box.toOpaque())
            state.threads.append(thread)
        }
    }

    private func acceptAll() {
        while true {
            let socket = accept(listener, nil, nil)
            guard socket >= 0 else { return }
            var on: Int32 = 1
            setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
            let index = state.withLock { state in
                state.openSockets.append(socket)
                state.connectionCount += 1
                return state.connectionCount - 1
            }
            startThread { self.play(index, on: socket) }
        }
    }

    private func play(_ index: Int, on socket: Int32) {
        defer { drop(socket) }
        guard isForAny || index < scripts.count else {
            return note("connection \(index + 1) is not scripted")
        }
        let connection = Connection(socket: socket)
        for (number, step) in scripts[isForAny ? 0 : index].enumerated() {
            guard play(step, on: connection) else {
                return note("connection \(index + 1) ended before step \(number): \(step)")
            }
        }
    }

    private func play(_ step: Step, on connection: Connection) -> Bool {
        switch step {
        case .readRequest: record(connection.readRequest(bodyByteCount: nil))
        case .readHead(let count): record(connection.readRequest(bodyByteCount: count))
        case .send(let text): connection.send(Array(text.utf8))
        case .sendBytes(let bytes): connection.send(bytes)
        case .close: connection.close()
        case .reset: connection.reset()
        case .answerAll(let text): answerAll(connection, Array(text.utf8))
        case .idle: connection.waitForEnd()
        case .hold: connection.readToEnd()
        }
    }

    private func answerAll(_ connection: Connection, _ answer: [UInt8]) -> Bool {
        while record(connection.readRequest(bodyByteCount: nil)), connection.send(answer) {}
        return true
    }

    private func record(_ request: [UInt8]?) -> Bool {
        guard let request else { return false }
        state.withLock { $0.requests.append(request) }
        return true
    }

    private func note(_ fault: String) {
        state.withLock { $0.faults.append(fault) }
    }

    private func drop(_ socket: Int32) {
        state.withLock { state in
            state.openSockets.removeAll { $0 == socket }
            Glibc.close(socket)
        }
    }
}

struct ScriptFault: Error {
    let faults: [String]
}

/// The server's side of one connection.
private final class Connection {
    let socket: Int32
    private var received: [UInt8] = []

    init(socket: Int32) { self.socket = socket }

    /// nil when the client went away first.
    func readRequest(bodyByteCount: Int?) -> [UInt8]? {
        var headEnd = endOfHead()
        while headEnd == nil {
            guard receiveMore() else { return nil }
            headEnd = endOfHead()
        }
        guard let headEnd else { return nil }
        let head = String(decoding: received[..<headEnd], as: UTF8.self)
        let end = headEnd + (bodyByteCount ?? contentLength(head))
        while received.count < end {
            guard receiveMore() else { return nil }
        }
        defer { received.removeFirst(end) }
        return Array(received[..<end])
    }

    func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// The client may have gone first; then there is nothing to do.
    func close() -> Bool {
        shutdown(socket, Int32(SHUT_RDWR))
        return true
    }

    func reset() -> Bool {
        var option = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        return setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, size) == 0
    }

    func waitForEnd() -> Bool {
        var event = pollfd(fd: socket, events: 0, revents: 0)
        return poll(&event, 1, -1) == 1
    }

    func readToEnd() -> Bool {
        while receiveMore() {}
        return true
    }

    private func receiveMore() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        received.append(contentsOf: buffer[..<count])
        return true
    }

    /// Where the head ends: only a line feed can be its last byte.
    private func endOfHead() -> Int? {
        var index = 0
        while let lineEnd = received[index...].firstIndex(of: 10) {
            index = lineEnd + 1
            if received[..<index].suffix(4).elementsEqual("\r\n\r\n".utf8) { return index }
        }
        return nil
    }

    private func contentLength(_ head: String) -> Int {
        for line in head.split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { continue }
            return Int(parts[1].drop { $0 == " " }) ?? 0
        }
        return 0
    }
}

private func listenOnLoopback(_ listener: Int32) throws -> UInt16 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(listener, $0, size) == 0 && listen(listener, 128) == 0
                && getsockname(listener, $0, &size) == 0
        }
    }
    guard isListening else { throw ScriptFault(faults: ["cannot listen: errno \(errno)"]) }
    return UInt16(bigEndian: address.sin_port)
}

/// A port of the loopback on which nobody listens.
func closedPort() throws -> UInt16 {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    return try listenOnLoopback(listener)
}

private final class ThreadBody {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func runThreadBody(_ box: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let box else { return nil }
    Unmanaged<ThreadBody>.fromOpaque(box).takeRetainedValue().run()
    return nil
}

/// Runs `body` on a thread of its own while `meanwhile` runs here, and waits for both.
func onThread(
    while meanwhile: () -> Void = {}, _ body: @escaping @Sendable () -> Void
) {
    var thread = pthread_t()
    let box = Unmanaged.passRetained(ThreadBody(body))
    pthread_create(&thread, nil, runThreadBody, box.toOpaque())
    meanwhile()
    pthread_join(thread, nil)
}

/// A response with a body and its length.
func response(_ body: String, status: String = "200 OK", fields: String = "") -> String {
    "HTTP/1.1 \(status)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}
