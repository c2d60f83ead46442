//! What all threads know of the two sides: whether they answer, how much they take, and with which credentials.

internal import Linux
internal import Migration
internal import S3
internal import Synchronization

/// The state of both sides under one lock. Workers tell what they have seen and ask what it means; a thread for each
/// side (`SideWatch`, by `SharedSides-watching`) finds out what nobody knows.
final class SharedSides: Sendable {
    /// What is known of one side.
    struct SideState: Sendable {
        var health = SideHealth()
        var limit: ConcurrencyLimit
        var term = CredentialsTerm()
        var credentials: Credentials
        /// Why the credentials could not be read again, or what is wrong with them.
        var credentialsProblem = ""
        /// When the watch looks next, and how often it has found nobody.
        var askAt: Instant?
        var failedProbes = 0

        /// Nothing can come of anything that is sent.
        var isDown: Bool { health.state != .up || term.expiredSince != nil }
        var isInDoubt: Bool { health.isInDoubt || term.isInDoubt }
    }

    struct State: Sendable {
        var sides: BothSides<SideState>
        /// The transfers that each worker has.
        var busy: [Int]
        /// Workers that keep something back until it is known what it means.
        var keeping: Set<Int> = []
        var redaction: Redaction
        var random: SeededRandom
        var isEnded = false

        var isTroubled: Bool { sides.source.isInDoubt || sides.target.isInDoubt }
    }

    /// What a worker goes by until it asks again.
    struct View: Sendable {
        var isDown: BothSides<Bool>
        /// How many transfers it may have.
        var share: Int
        /// The numbers of the credentials to sign with.
        var generation: BothSides<Int>
    }

    /// Why a worker keeps something back.
    enum Question: Sendable {
        case silence
        /// The side refused what was signed with the credentials of this number.
        case refusal(generation: Int)
        /// It was not sent at all.
        case notSent
    }

    /// What became of what was kept back.
    enum Answer: Sendable, Equatable {
        case notKnownYet
        case own
        /// It counts against nobody.
        case forgiven
    }

    let settings: BothSides<SideSettings>
    let state: Monitor<State>
    let changed = Condition()
    /// Whether workers should tell and ask at once; read without the lock.
    private let troubled = Atomic(false)
    private let wake: @Sendable (_ worker: Int) -> Void

    init(
        _ settings: BothSides<SideSettings>, slots: Int, workerCount: Int, seed: UInt64,
        wake: @escaping @Sendable (_ worker: Int) -> Void
    ) {
        self.settings = settings
        self.wake = wake
        state = Monitor(
            State(
                sides: BothSides {
                    SideState(
                        limit: ConcurrencyLimit(most: slots),
                        credentials: settings[$0].credentials)
                },
                busy: Array(repeating: 0, count: workerCount),
                redaction: Redaction([settings.source.credentials, settings.target.credentials]),
                random: SeededRandom(seed: seed)))
    }

    var isTroubled: Bool { troubled.load(ordering: .relaxed) }

    /// With all credentials that were ever in use.
    var redaction: Redaction { state.withLock(\.redaction) }

    func condition(of side: Side) -> SideState { state.withLock { $0.sides[side] } }

    // MARK: - The workers

    /// Takes what a worker has seen, and tells it what to go by.
    func take(
        _ reports: BothSides<SideReport>, busy: Int, of worker: Int, at now: Instant
    ) -> View {
        change(tells: !reports.source.isEmpty || !reports.target.isEmpty) { state in
            state.busy[worker] = busy
            let sum = state.busy.reduce(0, +)
            for side in Side.allCases {
                let report = reports[side]
                if let begunAt = report.begunAt, let endedAt = report.endedAt {
                    state.sides[side].health.answered(begunAt: begunAt, endedAt: endedAt)
                }
                state.sides[side].limit.take(report, busy: sum, at: now)
            }
            return SharedSides.view(state, worker)
        }
    }

    private static func view(_ state: State, _ worker: Int) -> View {
        let limit = min(state.sides.source.limit.current, state.sides.target.limit.current)
        let workers = state.busy.count
        return View(
            isDown: BothSides { state.sides[$0].isDown },
            share: limit / workers + (worker < limit % workers ? 1 : 0),
            generation: BothSides { state.sides[$0].term.generation })
    }

    /// An exchange got no answer.
    func failed(_ side: Side, because reason: String, at now: Instant) {
        change { state in
            let reason = state.redaction.applied(to: reason)
            state.beginAsking(side, at: now)
            state.sides[side].health.failed(at: now, because: reason)
        }
    }

    /// A side refused what was signed with these credentials.
    func refused(_ side: Side, generation: Int, isSure: Bool, at now: Instant) {
        change { state in
            state.beginAsking(side, at: now)
            state.sides[side].term.refused(generation: generation, isSure: isSure, at: now)
        }
    }

    /// What a worker's question from that moment comes to; while it is open the worker is woken when something changes.
    func answer(
        _ question: Question, _ side: Side, askedAt: Instant, worker: Int
    ) -> Answer {
        state.withLock { state in
            let answer = SharedSides.answer(question, state.sides[side], askedAt)
            if answer == .notKnownYet { state.keeping.insert(worker) }
            return answer
        }
    }

    private static func answer(
        _ question: Question, _ side: SideState, _ askedAt: Instant
    ) -> Answer {
        switch question {
        case .silence:
            switch side.health.cause(ofFaultAt: askedAt) {
            case .notKnownYet: .notKnownYet
            case .own: .own
            case .outage: .forgiven
            }
        case .refusal(let generation):
            switch side.term.verdict(generation: generation, refusedAt: askedAt) {
            case .notKnownYet: .notKnownYet
            case .own: .own
            case .renewed: .forgiven
            }
        case .notSent: side.isDown ? .notKnownYet : .forgiven
        }
    }

    /// Changes the state, and wakes those for whom that means something.
    ///
    /// - Parameter tells: whether it may explain what workers keep back; a worker that only asks must not wake itself.
    @discardableResult
    func change<Result>(
        tells: Bool = true, _ body: (inout State) -> Result
    ) -> Result {
        let (result, woken, isNews) = state.withLock { state in
            let before = (state.sides.source.isDown, state.sides.target.isDown)
            let doubts = (state.sides.source.isInDoubt, state.sides.target.isInDoubt)
            let result = body(&state)
            troubled.store(state.isTroubled, ordering: .relaxed)
            let isNews = before != (state.sides.source.isDown, state.sides.target.isDown)
            let woken = isNews ? Set(state.busy.indices) : tells ? state.keeping : []
            if tells || isNews { state.keeping = [] }
            // Each side has a watch of its own, which sleeps until that side is in doubt.
            let hasDoubts =
                doubts != (state.sides.source.isInDoubt, state.sides.target.isInDoubt)
            return (result, woken, isNews || hasDoubts)
        }
        if isNews { changed.wakeAll() }
        for worker in woken { wake(worker) }
        return result
    }
}

extension SharedSides.State {
    /// Others may have the answer soon, so that nobody has to be asked.
    mutating func beginAsking(_ side: Side, at now: Instant) {
        guard !sides[side].isInDoubt else { return }
        sides[side].failedProbes = 0
        sides[side].askAt = now + SideHealth.probeDelay(failedCount: 0, random: &random)
    }
}
