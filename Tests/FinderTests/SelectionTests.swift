//! What is asked of an entry, and which files are new enough.

import S3
import Testing

@testable import Finder

struct SelectionTests {
    static let noon = Timestamp(secondsSince1970: 1_767_268_800)

    static func file(changedSeconds: Int64) -> FileAttributes {
        FileAttributes(
            kind: .file, sizeBytes: 0, modifiedSeconds: 0, changedSeconds: changedSeconds)
    }

    @Test func asksOnlyWhereItMust() {
        let plain = Selection()
        let long = Selection(wantsAttributes: true)
        let late = Selection(laterThanDays: 1, before: Self.noon)
        #expect(!plain.needsAttributes(of: .file))
        #expect(long.needsAttributes(of: .file))
        #expect(late.needsAttributes(of: .file))
        for selection in [plain, long, late] {
            #expect(selection.needsAttributes(of: .unknown))
            for kind in [EntryKind.directory, .symbolicLink, .device, .socket, .fifo] {
                #expect(!selection.needsAttributes(of: kind))
            }
        }
    }

    @Test(
        arguments: [
            (2.0, -2 * 86_400, true), (2.0, -2 * 86_400 - 1, false), (0.5, -43_200, true),
            (0.5, -43_201, false), (0, 0, true), (0, -1, false), (0, 5, true),
            (0.000_001, -1, true), (1e300, -1_767_268_800, true), (1e300, .min / 2, true),
        ] as [(Double, Int64, Bool)])
    func admitsWhatChangedSince(days: Double, offsetSeconds: Int64, isAdmitted: Bool) {
        let selection = Selection(laterThanDays: days, before: Self.noon)
        let file = Self.file(changedSeconds: Self.noon.secondsSince1970 + offsetSeconds)
        #expect(selection.admits(file) == isAdmitted)
    }

    @Test func admitsAllWithoutAFilter() {
        #expect(Selection().admits(Self.file(changedSeconds: .min)))
    }
}
