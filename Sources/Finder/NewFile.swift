//! A file that has its name only when it is whole and on the disk.

internal import CLinux
internal import Glibc
internal import Linux

/// A file in the output folder while it is written: hidden, `.NAME.partial`, and removed again unless it is finished.
struct NewFile: ~Copyable {
    private let folder: Int32
    private let folderPath: String
    private let name: String
    private let partialName: String
    private let descriptor: Descriptor
    private var isFinished = false

    /// The folder's descriptor must stay open as long as this.
    init(_ name: String, in folder: Int32, at folderPath: String) throws(FindError) {
        let partialName = ".\(name).partial"
        do throws(SystemError) {
            // Exclusively: whoever else makes this file writes lists here too.
            descriptor = Descriptor(
                try check { linux_create_exclusively(folder, partialName, 0o666) })
        } catch {
            throw .cannotGoOn("cannot create \(folderPath)/\(partialName): \(error)")
        }
        self.folder = folder
        self.folderPath = folderPath
        self.name = name
        self.partialName = partialName
    }

    deinit {
        if !isFinished { _ = unlinkat(folder, partialName, 0) }
    }

    func write(_ bytes: [UInt8]) throws(FindError) {
        do throws(SystemError) {
            try descriptor.write(bytes)
        } catch {
            throw cannotWrite(error)
        }
    }

    /// Brings the contents to the disk and gives the file its name. The name itself is on the disk after the folder's
    /// `sync`.
    mutating func finish() throws(FindError) {
        do throws(SystemError) {
            try descriptor.sync()
            try check { renameat(folder, partialName, folder, name) }
        } catch {
            throw cannotWrite(error)
        }
        isFinished = true
    }

    private func cannotWrite(_ error: SystemError) -> FindError {
        .cannotGoOn(
            "cannot write \(folderPath)/\(name): \(error); "
                + "what is in \(folderPath) is no finished listing: remove it before the next one")
    }
}
