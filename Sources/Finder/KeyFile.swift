//! The file of keys that `--from` names: read record by record, in the memory of a block.

internal import Glibc
internal import Linux
internal import Migration

/// A file, or standard input, as a sequence of records that end with a newline or a NUL.
struct KeyFile: ~Copyable {
    /// For messages and for the manifest: the absolute path, or `standard input`.
    let name: String
    private let descriptor: Descriptor
    private let stop: StopFlag
    /// Where the places lie that `next` gives.
    private(set) var buffer = [UInt8](repeating: 0, count: Limits.keyFileBlockBytes)
    private let form: KeyForm
    /// Where the next record begins, and where the bytes end that were read.
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    /// How many records were read.
    private var count = 0

    /// Opens the file; `-` is standard input.
    init(_ path: String, form: KeyForm, stop: StopFlag) throws(FindError) {
        descriptor = try openKeys(path)
        let real = realPath(of: descriptor.number)
        name = path == "-" ? "standard input" : real ?? path
        self.form = form
        self.stop = stop
        _ = posix_fadvise(descriptor.number, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    /// Makes sure that the file is none of the folder that the lists go to, under whatever name it was opened.
    func checkOutside(of folder: String) throws(FindError) {
        guard let real = realPath(of: descriptor.number),
            let home = identity(parentPath(of: real)), home == identity(folder)
        else { return }
        throw .usage(
            "\(real) lies in \(folder), where nothing but the lists may be: give another folder for them"
        )
    }

    /// Where the next key stands in the buffer, and behind it the rest of its line; nil at the end, and when all
    /// shall stop.
    mutating func next() throws(FindError) -> (key: Range<Int>, columns: Range<Int>)? {
        guard let record = try nextRecord() else { return nil }
        count += 1
        do throws(ListLineError) {
            return try form.parse(&buffer, record)
        } catch {
            let place = form.place(count, in: name)
            throw .usage("\(place): \(error)\(form.advice(on: error))")
        }
    }

    /// A last record needs no separator.
    private mutating func nextRecord() throws(FindError) -> Range<Int>? {
        var searched = start
        while true {
            if let place = firstSeparator(from: searched) { return take(upTo: place) }
            if isAtEnd { return start < end ? take(upTo: end) : nil }
            // Whatever that is, it is no list of keys.
            guard end - start < buffer.count else { return take(upTo: end) }
            moveToFront()
            searched = end
            guard try refill() else { return nil }
        }
    }

    private mutating func take(upTo place: Int) -> Range<Int> {
        let record = start..<place
        start = min(place + 1, end)
        return record
    }

    private func firstSeparator(from start: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = memchr(base + start, Int32(form.separator), end - start)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    private mutating func moveToFront() {
        guard start > 0 else { return }
        buffer.replaceSubrange(0..<end - start, with: buffer[start..<end])
        end -= start
        start = 0
    }

    /// Reads what comes; false when all shall stop.
    private mutating func refill() throws(FindError) -> Bool {
        guard waitForBytes() else { return false }
        let (number, end) = (descriptor.number, end)
        do throws(SystemError) {
            let count = try check {
                buffer.withUnsafeMutableBytes { bytes in
                    read(number, bytes.baseAddress.map { $0 + end }, bytes.count - end)
                }
            }
            self.end += count
            isAtEnd = count == 0
        } catch {
            throw .cannotGoOn("cannot read \(name): \(error.reason)")
        }
        return true
    }

    /// Whoever writes to a pipe may be slow; a signal does not end a read, so that must not wait.
    private func waitForBytes() -> Bool {
        var request = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        while !stop.isRaised {
            let count = poll(&request, 1, Limits.keyFilePollMilliseconds)
            // What is wrong with it, the read will say.
            if count > 0 || count < 0 && errno != EINTR { return true }
        }
        return false
    }
}

private func openKeys(_ path: String) throws(FindError) -> Descriptor {
    do throws(SystemError) {
        let file = Descriptor(
            try check { path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC) })
        let isDirectory = try file.status().st_mode & S_IFMT == S_IFDIR
        guard !isDirectory else { throw SystemError(code: EISDIR) }
        return file
    } catch {
        let remedy = error.code == EISDIR ? "; to list a directory, leave --from away" : ""
        throw .usage("cannot read keys from \(path): \(error.reason)\(remedy)")
    }
}

/// The path of an open file without links; nil where it has none, as a pipe.
private func realPath(of number: Int32) -> String? {
    guard let path = realpath("/proc/self/fd/\(number)", nil) else { return nil }
    defer { free(path) }
    return String(cString: path)
}

private func identity(_ path: String) -> FileIdentity? {
    var status = stat()
    return stat(path, &status) == 0 ? FileIdentity(status) : nil
}
