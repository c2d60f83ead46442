//! A file that has its name only when it is whole and on the disk.

internal import CLinux
internal import Glibc
internal import Linux

/// A file in the output folder while it is written: hidden, `.NAME.partial`, and removed again unless it is finished.
struct NewFile: ~Copyable {
    /// Held, since its descriptor is needed to the very end, whoever else lets go of it before.
    private let folder: OutputFolder
    private let name: String
    private let partialName: String
    private let descriptor: Descriptor
    private var isFinished = false

    init(_ name: String, in folder: OutputFolder) throws(FindError) {
        let partialName = ".\(name).partial"
        do throws(SystemError) {
            // Exclusively: whoever else makes this file writes lists here too.
            descriptor = Descriptor(
                try check { linux_create_exclusively(folder.number, partialName, 0o666) })
        } catch {
            throw .cannotGoOn("cannot create \(folder.path)/\(partialName): \(error)")
        }
        self.folder = folder
        self.name = name
        self.partialName = partialName
    }

    deinit {
        if !isFinished { _ = unlinkat(folder.number, partialName, 0) }
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
            try check { renameat(folder.number, partialName, folder.number, name) }
        } catch {
            throw cannotWrite(error)
        }
        isFinished = true
    }

    private func cannotWrite(_ error: SystemError) -> FindError {
        .cannotGoOn(
            "cannot write \(folder.path)/\(name): \(error); "
                + "what is in \(folder.path) is no finished listing: remove it before the next one")
    }
}
