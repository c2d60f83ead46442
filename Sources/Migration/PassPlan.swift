//! Which log folders belong together: the hosts of a pass, and the folders of a host.

/// Folders by the lists that their runs were over. A pass begins where its first folder stands.
public struct PassPlan: Sendable {
    private struct Name: Hashable {
        var sourceListings: [String]
        var hashCount: Int
    }

    private struct HostName: Hashable {
        var pass: Int
        var share: Int
    }

    /// Of each folder, which host of which pass has written it, from 0 on.
    public private(set) var hostOfFolder: [Int] = []
    private var names: [Name] = []
    private var hosts: [HostName] = []

    /// - Parameter folders: oldest first.
    public init(_ folders: [LogFolderFacts]) {
        for folder in folders {
            let name = Name(
                sourceListings: folder.sourceListings, hashCount: folder.identity.hashCount)
            let pass = Self.index(of: name, in: &names)
            let host = HostName(pass: pass, share: folder.identity.hashValue)
            hostOfFolder.append(Self.index(of: host, in: &hosts))
        }
    }

    private static func index<Item: Equatable>(of item: Item, in items: inout [Item]) -> Int {
        if let index = items.firstIndex(of: item) { return index }
        items.append(item)
        return items.count - 1
    }

    func passes(_ folders: [LogFolderFacts], _ tally: ReportTally) -> [MigrationReport.Pass] {
        names.indices.map { pass in
            let members = folders.indices.filter { hosts[hostOfFolder[$0]].pass == pass }
            let all = (0..<names[pass].hashCount).map { value in
                host(HostName(pass: pass, share: value), folders, tally)
            }
            return MigrationReport.Pass(
                sourceLists: names[pass].sourceListings, hashCount: names[pass].hashCount,
                objects: members.compactMap { folders[$0].summary?.objects }.max(),
                logged: all.reduce(0) { $0 + $1.logged }, hosts: all)
        }
    }

    private func host(
        _ name: HostName, _ folders: [LogFolderFacts], _ tally: ReportTally
    ) -> MigrationReport.Host {
        let index = hosts.firstIndex(of: name)
        let members = folders.indices.filter { hostOfFolder[$0] == index }.map { folders[$0] }
        return MigrationReport.Host(
            hashValue: name.share, folders: members.map(\.path), state: Self.state(members),
            logged: index.map { tally.hosts[$0] } ?? 0)
    }

    /// A host has ended when one of its folders says so: whether that one and the others have everything together shows
    /// in the sum.
    private static func state(_ folders: [LogFolderFacts]) -> String {
        guard let last = folders.last else { return "missing" }
        if folders.contains(where: \.isInUse) { return "running" }
        if folders.contains(where: \.isFinished) { return "finished" }
        return last.summary?.ending ?? "died"
    }
}
