//! What a listing says of itself.

import Testing

@testable import Migration

@Suite struct ManifestTests {
    @Test func idsAreDigitsOfOneLength() {
        let ids = (0..<200).map { _ in Manifest.randomID() }
        #expect(ids.allSatisfy { $0.count == 32 && $0.allSatisfy(\.isHexDigit) })
        #expect(Set(ids).count == ids.count)
    }
}
