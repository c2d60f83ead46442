//! The alarms that no single object can give.

import Migration
import S3
import Testing

@Suite struct ListGuardsTests {
    private let missing = Outcome(.skippedSource)
    private let copied = Outcome(.copied)

    private func failed(_ faultClass: FaultClass, _ stage: Stage = .get) -> Outcome {
        Outcome(
            .failed,
            failure: Failure(stage: stage, faultClass: faultClass, attempts: 1, message: "gone"))
    }

    /// The number of the outcome at which the alarm comes.
    private func alarm(
        _ guards: ListGuards, _ outcomes: [Outcome]
    ) -> (at: Int, text: String)? {
        var guards = guards
        var alarms: [(Int, String)] = []
        for (index, outcome) in outcomes.enumerated() {
            if let text = guards.take(outcome, of: ObjectKey("k\(index)")) {
                alarms.append((index + 1, text))
            }
        }
        #expect(alarms.count <= 1, "an alarm is given once")
        return alarms.first
    }

    private let guards = ListGuards(allowsMissing: false, slots: 4)

    @Test func stopsWhenMoreThanATenthOfTheFirstThousandAreMissing() {
        let alarm = alarm(guards, [copied] + Array(repeating: missing, count: 2000))
        #expect(alarm?.at == 102)
        #expect(alarm?.text.contains("--src-folder") == true)
        #expect(alarm?.text.contains("--allow-missing") == true)
    }

    @Test func stopsWhenNothingOfAShortListIsThere() {
        #expect(alarm(guards, Array(repeating: missing, count: 2000))?.at == 20)
        #expect(alarm(guards, Array(repeating: missing, count: 19)) == nil)
        #expect(alarm(guards, Array(repeating: missing, count: 19) + [copied, missing]) == nil)
    }

    @Test func stopsWhenTheTargetHasNotWhatItsListsHave() {
        let found = Outcome(.exist, proof: .same)
        let lost = Outcome(.exist, proof: .missing)
        let alarm = alarm(guards, [found, copied, lost, lost])
        #expect(alarm?.at == 3)
        #expect(alarm?.text.contains("'k2'") == true)
        #expect(alarm?.text.contains("--dest-folder") == true)
        #expect(alarm?.text.contains("--allow-missing") == true)
        #expect(self.alarm(ListGuards(allowsMissing: true, slots: 4), [lost, lost]) == nil)
        #expect(self.alarm(guards, Array(repeating: Outcome(.exist), count: 500)) == nil)
    }

    @Test func samplesDoNotCountAmongTheFirstObjects() {
        let samples = Array(repeating: Outcome(.exist), count: 1000)
        #expect(alarm(guards, samples + Array(repeating: missing, count: 20))?.at == 1020)
    }

    @Test func bearsATenth() {
        let outcomes = (0..<1000).map { $0 % 10 == 0 ? missing : copied }
        #expect(alarm(guards, outcomes + Array(repeating: missing, count: 5000)) == nil)
    }

    @Test func countsToTheLastOfTheThousand() {
        let outcomes = Array(repeating: copied, count: 899) + Array(repeating: missing, count: 101)
        #expect(alarm(guards, outcomes)?.at == 1000)
        #expect(alarm(guards, [copied] + outcomes) == nil)
    }

    @Test func goesOnWhenToldSo() {
        let guards = ListGuards(allowsMissing: true, slots: 4)
        #expect(alarm(guards, Array(repeating: missing, count: 2000)) == nil)
    }

    @Test(arguments: [FaultClass.transport, .stalled, .tls])
    func stopsWhenNobodyAnswers(faultClass: FaultClass) {
        let outcomes = Array(repeating: failed(faultClass, .put), count: 50)
        let alarm = alarm(guards, outcomes)
        #expect(alarm?.at == 4 * Limits.unreachablePerSlot)
        #expect(alarm?.text.hasPrefix("target: ") == true)
        #expect(alarm?.text.contains("gone") == true)
        #expect(alarm?.text.contains("failed.log") == true)
    }

    @Test func beginsToCountAnewAfterAnAnswer() {
        let row = Array(repeating: failed(.transport), count: 4 * Limits.unreachablePerSlot - 1)
        #expect(alarm(guards, row + [copied] + row + [failed(.denied)] + row) == nil)
    }
}

@Suite struct CircuitBreakerTests {
    private func failed(
        _ faultClass: FaultClass = .denied, code: String = "AccessDenied", _ stage: Stage = .put
    ) -> Outcome {
        Outcome(
            .failed,
            failure: Failure(
                stage: stage, faultClass: faultClass, status: 403, code: code, attempts: 1,
                message: "no"))
    }

    /// How many outcomes are taken until the alarm, with it.
    private func alarm(_ outcomes: [Outcome], failuresMax: Int? = nil) -> (at: Int, text: String)? {
        var guards = ListGuards(allowsMissing: true, slots: 1000, failuresMax: failuresMax)
        for (index, outcome) in outcomes.enumerated() {
            if let text = guards.take(outcome, of: ObjectKey("k")) { return (index + 1, text) }
        }
        return nil
    }

    private func row(_ outcome: Outcome, _ count: Int) -> [Outcome] {
        Array(repeating: outcome, count: count)
    }

    @Test func stopsWhenTheFirstHundredFailAlike() {
        #expect(alarm(row(failed(), 99)) == nil)
        let alarm = alarm(row(failed(), 100))
        #expect(alarm?.at == 100)
        #expect(alarm?.text.hasPrefix("target: 100 objects") == true)
        #expect(alarm?.text.contains("denied, HTTP 403 AccessDenied no") == true)
    }

    @Test func bearsMoreInARowOnceSomethingWentWell() {
        let copied = Outcome(.copied)
        #expect(alarm([copied] + row(failed(), 999)) == nil)
        #expect(alarm([copied] + row(failed(), 1000))?.at == 1001)
        #expect(alarm([copied] + row(failed(), 999) + [copied] + row(failed(), 999)) == nil)
    }

    /// What is found, and what is the objects' own fault, is no reason to leave out the others.
    @Test func bearsWhatIsNotOfTheRun() {
        let missing = Outcome(
            .missing,
            failure: Failure(stage: .verify, faultClass: .missing, attempts: 0, message: "no"))
        #expect(alarm(row(missing, 2000)) == nil)
        #expect(alarm(row(failed(.archived, code: "InvalidObjectState", .get), 2000)) == nil)
    }

    @Test func differentReasonsAreNotOne() {
        let others = [
            failed(.refused), failed(code: "Other"), failed(.denied, .get), Outcome(.skippedTarget),
        ]
        for other in others {
            #expect(alarm(row(failed(), 99) + [other] + row(failed(), 999)) == nil)
        }
    }

    @Test func stopsAtTheNumberOfFailuresThatIsAllowed() {
        let outcomes = (0..<20).map { $0.isMultiple(of: 2) ? failed() : Outcome(.copied) }
        #expect(alarm(outcomes) == nil)
        #expect(alarm(outcomes, failuresMax: 11) == nil)
        #expect(alarm(outcomes, failuresMax: 10)?.at == 19)
        #expect(alarm(outcomes, failuresMax: 1)?.at == 1)
        #expect(alarm(outcomes, failuresMax: 3)?.text.contains("--max-failures") == true)
    }
}

@Suite struct LimitsTests {
    private let mib: Int64 = 1 << 20

    @Test(
        arguments: [
            (0, 1), (1, 1), (1 << 20, 1), ((1 << 20) + 1, 2), (64 << 20, 64),
        ] as [(Int64, Int64)])
    func countsBlocks(bytes: Int64, blocks: Int64) {
        #expect(Limits.blocks(for: bytes) == blocks)
    }

    @Test(arguments: [1, 8, 32, 128, 1024, 4096 * 256])
    func dividesTheMemoryAndNoMore(slots: Int) throws {
        for memory in [64 * mib, 256 * mib, 1024 * mib, 1 << 40] {
            let division = Limits.division(
                ofMemory: memory, slots: slots, wholeObjectBytesMax: 8 * mib)
            guard let (curl, blocks) = division else { continue }
            let perSlot = curl.receiveBytes + curl.uploadBytes + 2 * curl.smallBytes
            #expect(Int64(perSlot) * Int64(slots) + Int64(blocks) * mib <= memory)
            #expect(blocks >= 8)
            #expect((16 << 10...512 << 10).contains(curl.receiveBytes))
            #expect((16 << 10...512 << 10).contains(curl.uploadBytes))
        }
    }

    @Test func refusesMemoryThatHoldsNotOneObject() {
        #expect(Limits.division(ofMemory: 64 * mib, slots: 1, wholeObjectBytesMax: 64 * mib) == nil)
        #expect(Limits.division(ofMemory: 0, slots: 1, wholeObjectBytesMax: 1) == nil)
        #expect(Limits.division(ofMemory: 66 * mib, slots: 1, wholeObjectBytesMax: 64 * mib) != nil)
    }

    @Test(arguments: [1, 32, 4096], [1 << 20, 64 << 20, 5 << 30] as [Int64])
    func namesTheLeastThatWorks(slots: Int, object: Int64) throws {
        let least = Limits.memoryBytesMin(slots: slots, wholeObjectBytesMax: object)
        #expect(
            Limits.division(ofMemory: least, slots: slots, wholeObjectBytesMax: object) != nil)
        #expect(
            Limits.division(ofMemory: least - 17 * mib, slots: slots, wholeObjectBytesMax: object)
                == nil)
    }

    /// What the limits promise each other.
    @Test func hangTogether() {
        #expect(Limits.firstRangeBytes <= Int64(Limits.blockBytes))
        #expect(Limits.multipartThresholdDefaultBytes <= Limits.putBytesMax)
        #expect(Limits.retryDelayMin <= Limits.throttleDelayMin)
        #expect(Limits.throttleDelayMin <= Limits.retryDelayMax)
        #expect(Limits.missingSampleMax * 10 == Limits.missingSample)
    }
}
