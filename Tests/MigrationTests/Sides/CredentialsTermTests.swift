//! When credentials are read again, and what a refusal of them comes to.

import Testing

@testable import Migration

@Suite struct CredentialsTermTests {
    private func at(_ seconds: Int) -> Instant { Instant(elapsed: .seconds(seconds)) }

    @Test func aSureRefusalWaitsForOthers() {
        var term = CredentialsTerm()
        #expect(!term.isInDoubt)
        term.refused(generation: 0, isSure: true, at: at(5))
        term.refused(generation: 0, isSure: true, at: at(6))
        #expect(term.expiredSince == at(5))
        #expect(term.isInDoubt)
        // The same were read again, and nobody can say that they are good.
        term.confirm(askedAt: at(7))
        #expect(term.verdict(generation: 0, refusedAt: at(5)) == .notKnownYet)
        term.renew()
        #expect(term.verdict(generation: 0, refusedAt: at(5)) == .renewed)
        #expect(!term.isInDoubt)
        #expect(term.expiredSince == nil)
    }

    @Test func anUnsureOneIsTheObjectsOwnWhenTheSideSaysSo() {
        var term = CredentialsTerm()
        term.refused(generation: 0, isSure: false, at: at(5))
        #expect(term.isInDoubt)
        #expect(term.expiredSince == nil)
        #expect(term.verdict(generation: 0, refusedAt: at(5)) == .notKnownYet)
        term.refused(generation: 0, isSure: false, at: at(7))
        term.confirm(askedAt: at(6))
        #expect(term.verdict(generation: 0, refusedAt: at(5)) == .own)
        #expect(term.verdict(generation: 0, refusedAt: at(7)) == .notKnownYet)
        #expect(term.isInDoubt)
        term.confirm(askedAt: at(8))
        #expect(!term.isInDoubt)
    }

    @Test func anUnsureOneWaitsWhenTheyAreKnownToHaveExpired() {
        var term = CredentialsTerm()
        term.confirm(askedAt: at(9))
        term.refused(generation: 0, isSure: true, at: at(5))
        #expect(term.verdict(generation: 0, refusedAt: at(5)) == .notKnownYet)
    }

    /// What was signed before the renewal may be refused after it.
    @Test func aLateRefusalOfFormerOnesIsNoDoubt() {
        var term = CredentialsTerm()
        term.renew()
        term.refused(generation: 0, isSure: true, at: at(5))
        #expect(!term.isInDoubt)
        #expect(term.verdict(generation: 0, refusedAt: at(5)) == .renewed)
    }
}
