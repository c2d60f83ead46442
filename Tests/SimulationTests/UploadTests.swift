//! The world around uploads in parts: its rules notice what they are there for, and its faults happen.

import Migration
import S3
import Testing

@Suite struct UploadTests {
    private func code(_ response: Response?) -> String? {
        response.flatMap { XMLDocument($0.body).text(at: "Error/Code") }
    }

    // MARK: - What is left

    @Test func aGoodCopyBreaksNoRule() throws {
        let hand = HandDrivenWorld()
        let id = try hand.upload([hand.body(0..<5), hand.body(5..<8)])
        hand.ask(hand.complete(id))
        hand.world.checkNoUploadsLeft(after: "the test")
        hand.world.checkForeignUploads()
        #expect(hand.world.target[hand.key]?.body == hand.body(0..<8))
        #expect(hand.rules.isEmpty)
    }

    @Test func anUploadThatIsLeftIsNoticed() throws {
        let hand = HandDrivenWorld()
        let id = try hand.upload([hand.body(0..<5)])
        hand.world.checkNoUploadsLeft(after: "the test")
        #expect(hand.rules == [.leftover])
        hand.ask(hand.abort(id))
        hand.world.checkNoUploadsLeft(after: "the test")
        #expect(hand.rules == [.leftover], "an aborted one is left no more")
    }

    /// Its id never reached us, but a list has it.
    @Test func anUploadWhoseAnswerIsLostIsNoticed() {
        let hand = HandDrivenWorld {
            $0.faults = FaultWeights(rate: 1, weights: [(.answerLost, 1)])
        }
        #expect(hand.ask(hand.create) == nil)
        hand.world.checkNoUploadsLeft(after: "the test")
        #expect(hand.rules == [.leftover])
    }

    @Test(arguments: [true, false])
    func whatCannotBeKnownIsNotAskedFor(isLate: Bool) {
        let hand = HandDrivenWorld {
            let mishap: Mishap = isLate ? .actsLate : .answerLost
            $0.faults = FaultWeights(rate: 1, weights: [(mishap, 1)])
        }
        if !isLate { hand.world.clientUploads(to: hand.key) }
        #expect(hand.ask(hand.create) == nil)
        hand.world.pass(.seconds(1))
        #expect(hand.world.target.uploads.values.contains { $0.isOurs })
        hand.world.checkNoUploadsLeft(after: "the test")
        #expect(hand.rules.isEmpty)
    }

    /// A Create of a process that has died meanwhile.
    @Test func aCreateAfterDeathIsExcused() {
        let hand = HandDrivenWorld()
        _ = hand.send(hand.create)
        hand.world.runningRun = nil
        hand.world.pass(.seconds(1))
        #expect(hand.world.target.uploads.count == 1)
        hand.world.checkNoUploadsLeft(after: "the test")
        #expect(hand.rules.isEmpty)
    }

    // MARK: - Whose it is

    @Test(arguments: ["part", "complete", "abort", "list"])
    func theUploadsOfOthersAreLetAlone(deed: String) throws {
        let hand = HandDrivenWorld()
        hand.world.clientUploads(to: hand.key)
        let upload = try #require(hand.world.clientUploads.first)
        switch deed {
        case "part": hand.ask(hand.part(1, upload.id), hand.body(0..<8))
        case "abort": hand.ask(hand.abort(upload.id))
        case "list":
            hand.ask(ListParts.request(bucket: "target", key: hand.key, uploadID: upload.id))
        default:
            let part = CompleteMultipartUpload.Part(number: 1, etag: ETag("x"))
            hand.ask(
                CompleteMultipartUpload.request(
                    bucket: "target", key: hand.key, uploadID: upload.id, parts: [part],
                    condition: .ifAbsent))
        }
        #expect(hand.rules == (deed == "list" ? [] : [.foreignUpload]))
        hand.world.checkForeignUploads()
        let isChanged = deed == "part" || deed == "abort"
        #expect(hand.rules.count == (isChanged ? 2 : deed == "list" ? 0 : 1))
    }

    // MARK: - What is sent twice

    @Test func anAcknowledgedPartIsNotSentAgain() throws {
        let hand = HandDrivenWorld()
        let id = try hand.upload([hand.body(0..<5)])
        hand.begin(run: 1)
        hand.ask(hand.part(2, id), hand.body(5..<8))
        #expect(hand.rules.isEmpty)
        hand.ask(hand.part(1, id), hand.body(0..<5))
        #expect(hand.rules == [.sentAgain])
    }

    @Test func otherBytesAreNotTheSamePart() throws {
        let hand = HandDrivenWorld()
        let id = try hand.upload([hand.body(0..<5)])
        hand.ask(hand.part(1, id), hand.body(0..<5, content: 2))
        #expect(hand.rules.isEmpty)
    }

    @Test func afterAFaultAPartMayBeSentAgain() throws {
        let hand = HandDrivenWorld()
        let id = try hand.upload([hand.body(0..<5)])
        hand.world.record.episodes[0].steps[0].mishap = .slowDown
        hand.ask(hand.part(1, id), hand.body(0..<5))
        #expect(hand.rules.isEmpty)
    }

    @Test func whatNobodyAcknowledgedMayBeSentAgain() throws {
        let hand = HandDrivenWorld()
        let id = try hand.upload([])
        _ = hand.send(hand.part(1, id), hand.body(0..<5))
        hand.begin(run: 1)
        hand.world.pass(.seconds(1))
        hand.ask(hand.part(1, id), hand.body(0..<5))
        #expect(hand.rules.isEmpty)
    }

    // MARK: - What becomes visible

    @Test func aMixtureIsNoticed() throws {
        let hand = HandDrivenWorld()
        hand.write(content: 2, byteCount: 8)
        let id = try hand.upload([hand.body(0..<5), hand.body(5..<8, content: 2)])
        hand.ask(hand.complete(id))
        #expect(hand.rules == [.mixture])
    }

    @Test(arguments: [1, 2])
    func anyOneVersionIsNoMixture(content: Int) throws {
        let hand = HandDrivenWorld()
        hand.write(content: 2, byteCount: 8)
        let id = try hand.upload([
            hand.body(0..<5, content: content), hand.body(5..<8, content: content),
        ])
        hand.ask(hand.complete(id))
        #expect(hand.rules.isEmpty)
    }

    @Test(arguments: [true, false])
    func whatCompleteOverwritesIsNoticed(hasLooked: Bool) throws {
        let hand = HandDrivenWorld { $0.target.multipart.honoursIfNoneMatch = false }
        let id = try hand.upload([hand.body(0..<8)])
        if hasLooked { hand.ask(HeadObject.request(bucket: "target", key: hand.key)) }
        hand.world.target.put(
            Stored(
                serial: 99, author: .client, body: Body(content: 7, byteCount: 1), etag: nil,
                modified: hand.world.timeOfDay, since: hand.world.now),
            at: hand.key, now: hand.world.now)
        hand.ask(hand.complete(id))
        #expect(hand.rules == (hasLooked ? [] : [.overwrote]))
    }

    @Test(arguments: [Duration.milliseconds(900), .milliseconds(1100)])
    func whatCompleteBringsBackIsNoticed(after pause: Duration) throws {
        let hand = HandDrivenWorld()
        let id = try hand.upload([hand.body(0..<8)])
        hand.world.source.put(nil, at: hand.key, now: hand.world.now)
        hand.world.pass(pause)
        hand.ask(hand.complete(id))
        #expect(hand.rules == (pause > .seconds(1) ? [.cameBack] : []))
    }

    @Test(arguments: [Proof.etag, .md5])
    func aProofThatIsNoneIsNoticed(proof: Proof) throws {
        let hand = HandDrivenWorld()
        let id = try hand.upload([hand.body(0..<5), hand.body(5..<8, content: 2)])
        hand.ask(hand.complete(id))
        hand.world.end(0, Outcome(.copied, sizeBytes: 8, proof: proof))
        #expect(hand.rules == [.mixture, .untrueCopy])
    }

    // MARK: - Faults

    @Test func anUploadExpires() throws {
        let hand = HandDrivenWorld()
        let id = try hand.upload([hand.body(0..<5)])
        let calm = hand.strike(.uploadExpires)
        #expect(code(hand.ask(hand.part(2, id), hand.body(5..<8))) == "NoSuchUpload")
        #expect(calm.world.target.uploads.isEmpty)
        calm.world.checkNoUploadsLeft(after: "the test")
        #expect(calm.rules.isEmpty)
    }

    @Test func aPartVanishes() throws {
        let hand = HandDrivenWorld()
        let id = try hand.upload([hand.body(0..<5), hand.body(5..<8)])
        hand.strike(.partVanishes)
        #expect(code(hand.ask(hand.complete(id))) == "InvalidPart")
        #expect(hand.world.target.uploads[id]?.parts.count == 1)
    }

    @Test(arguments: [(Mishap.falseError, true), (.falseSuccess, false)])
    func twoHundredWithAnError(mishap: Mishap, isDone: Bool) throws {
        let hand = HandDrivenWorld()
        let id = try hand.upload([hand.body(0..<8)])
        hand.strike(mishap)
        let response = hand.ask(hand.complete(id))
        #expect(response?.status == 200)
        #expect(code(response) == "InternalError")
        #expect((hand.world.target[hand.key] != nil) == isDone)
    }

    @Test func aConflictMayEndTheUpload() throws {
        var ends: Set<Bool> = []
        let hand = HandDrivenWorld()
        for _ in 0..<20 {
            let id = try hand.upload([hand.body(0..<8)])
            hand.strike(.conflict)
            #expect(hand.ask(hand.complete(id))?.status == 409)
            hand.strike(nil)
            ends.insert(hand.world.target.uploads[id] == nil)
        }
        #expect(ends == [true, false])
    }

    // MARK: - The trace

    @Test func theTraceTellsTheStory() throws {
        let hand = HandDrivenWorld()
        let id = try hand.upload([hand.body(0..<5)])
        hand.strike(.clockJump)
        hand.ask(hand.part(2, id, digest: hand.body(5..<8).digest(.md5)), hand.body(5..<8))
        let story = hand.lines.all.joined(separator: "\n")
        for words in [
            "→ target CreateMultipartUpload k #0 uploads",
            "→ target UploadPart k #0 partNumber=1, uploadId=\(id) with content 1[0..<5]",
            "✓ target UploadPart k #0 200 etag",
            "(clockJump)",
            "the clock of the target is",
            "✓ target UploadPart k #0 403 RequestTimeTooSkewed",
            "← target UploadPart k #0 403 RequestTimeTooSkewed",
            "content-md5: ",
        ] {
            #expect(story.contains(words), "\(words) is not in\n\(story)")
        }
    }
}

extension HandDrivenWorld {
    /// From now on this befalls every exchange; nil for nothing.
    @discardableResult
    fileprivate func strike(_ mishap: Mishap?) -> HandDrivenWorld {
        world.isCalm = mishap == nil
        world.scenario.faults = FaultWeights(
            rate: 1, weights: mishap.map { [($0, weight: 1)] } ?? [])
        return self
    }
}
