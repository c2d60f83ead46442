//! The way of a request to its server and back, with all that may befall it.

import Migration
import S3

/// A request on its way, and later its answer.
struct Flight: Sendable {
    /// What comes back.
    enum Reply: Sendable {
        case answered(Served, timesResent: Int)
        /// The connection broke, perhaps after some of an answer's body had come.
        case broken(partial: Body?, timesResent: Int = 0)
    }

    var order: ExchangeOrder
    var upload: Body
    var run: Int
    var worker = 0
    var slot: Int
    var episode: Int
    /// Its place among the steps of the episode.
    var step: Int
    var mishap: Mishap?
    /// By how much the clock that it was signed by is ahead of the true time.
    var signedOffsetSeconds: Int64
    /// How often the server has seen it.
    var arrivals = 0
    var reply: Reply?
}

extension World {
    /// Sends a request; an `answers` event follows, and gives the flight to `land`.
    func send(_ flight: Flight) -> Int {
        var flight = flight
        flightCount += 1
        let number = flightCount
        if isDown(flight.order.side) {
            flights[number] = flight
            breakUnanswered(number)
            return number
        }
        let key = flight.order.request.key ?? ObjectKey("")
        let faults = isCalm ? .none : scenario.faults
        flight.mishap = faults.draw(
            for: flight.order, scenario, seen: self[flight.order.side][key], &random)
        record.episodes[flight.episode].steps[flight.step].mishap = flight.mishap
        note(flight, "→", flight.trace)
        switch flight.mishap {
        case .refused:
            flight.reply = .broken(partial: nil)
            queue.add(.answers(flight: number), at: now + delay())
        case .actsLate:
            flight.reply = .broken(partial: nil)
            let broken = now + delay()
            queue.add(.answers(flight: number), at: broken)
            queue.add(.arrives(flight: number), at: broken + random.milliseconds(0...500))
        default:
            queue.add(.arrives(flight: number), at: now + delay())
        }
        flights[number] = flight
        return number
    }

    private func delay() -> Duration {
        let isSlow = !isCalm && random.isTrue(scenario.slowness)
        return random.milliseconds(isSlow ? 500...3000 : scenario.latency)
    }

    /// What a flight came back with; nil when it belongs to nobody any more.
    func land(_ number: Int, run: Int) -> Flight? {
        guard let flight = flights[number] else { return nil }
        let isAwaited = flight.run == run
        note(flight, "←", (flight.reply?.trace ?? "nothing") + (isAwaited ? "" : ", too late"))
        guard isAwaited else { return nil }
        noteUploads(flight)
        return flight
    }

    // MARK: - At the server

    func arrive(_ number: Int) {
        guard var flight = flights[number] else { return }
        guard !isDown(flight.order.side) else { return breakUnanswered(number) }
        flight.arrivals += 1
        let served = serve(flight)
        note(served, &flight)
        if flight.mishap == .resent, flight.arrivals <= 1 + number % 2 {
            queue.add(.arrives(flight: number), at: now + delay())
        } else if flight.mishap != .actsLate {
            flight.reply = reply(served, flight)
            queue.add(.answers(flight: number), at: now + delay())
        }
        flights[number] = flight
    }

    /// Every answer tells the time.
    private func serve(_ flight: Flight) -> Served {
        var served = answer(flight)
        var date = timeOfDay(at: flight.order.side)
        if scenario.mutation == .misdatesAnswers, flight.order.side == .target {
            date = Timestamp(secondsSince1970: date.secondsSince1970 + 3600)
        }
        served.response.headers.append("date", date.httpDate)
        return served
    }

    private func answer(_ flight: Flight) -> Served {
        befall(flight)
        if let refusal = skewRefusal(flight) ?? denial(flight) { return Served(response: refusal) }
        let refusal = flight.mishap?.refusal(&random)
        if let refusal, flight.mishap?.isActedOn == false { return Served(response: refusal) }
        var served = act(flight)
        if let refusal { (served.response, served.object) = (refusal, nil) }
        return served
    }

    /// What happens at the server before it looks at the request.
    private func befall(_ flight: Flight) {
        let side = flight.order.side
        let upload = flight.order.request.uploadID.flatMap { self[side].uploads[$0] }
        switch flight.mishap {
        // One that was sent before all became calm may arrive later.
        case .clockJump where !isCalm:
            clockHasJumped = true
            clockOffsetSeconds[side, default: 0] += random.pick([-7200, -1800, 1800, 3600])
            record.note(now, "the clock of the \(side) is \(clockOffsetSeconds[side] ?? 0) s ahead")
        case .uploadExpires: if let upload, upload.isOurs { self[side].forget(upload) }
        case .partVanishes:
            guard let upload, !upload.parts.isEmpty else { break }
            self[side].uploads[upload.id]?.lose(random.pick(upload.parts.keys.sorted()))
        // After a 409 to a Complete the upload may be of no use any more.
        case .conflict: if let upload, random.isTrue(0.5) { self[side].forget(upload) }
        default: break
        }
    }

    private func act(_ flight: Flight) -> Served {
        let side = flight.order.side
        var upload = flight.upload
        if flight.mishap == .flippedUpload {
            upload = upload.flipped(&random)
        }
        let arrival = Arrival(
            request: mutated(flight.order.request), upload: upload, now: now,
            time: timeOfDay(at: side),
            serial: nextSerial(), author: .transfer(flight.episode))
        if showsDeleted(flight), let shown = deletedObject(flight) { return shown }
        var served = self[side].serve(arrival)
        if scenario.mutation == .hidesParts { served.response.hideParts(flight.order.request) }
        checkWrite(served, flight)
        checkUpload(served, flight)
        return served
    }

    private func showsDeleted(_ flight: Flight) -> Bool {
        switch scenario.mutation {
        case .showsDeleted: true
        // The HEAD of the source before Complete is as good as none.
        case .skipsRecheck: record.episodes[flight.episode].isLarge
        default: false
        }
    }

    /// For the mutation: a HEAD of the source that shows what is no longer there.
    private func deletedObject(_ flight: Flight) -> Served? {
        guard flight.order.side == .source, flight.order.request.method == .head,
            let key = flight.order.request.key, source[key] == nil
        else { return nil }
        return source.servingLast(flight.order.request, key)
    }

    /// A request that is signed by a clock that is wrong by more than 15 minutes is refused.
    private func skewRefusal(_ flight: Flight) -> Response? {
        let side = flight.order.side
        let offset = clockOffsetSeconds[side, default: 0]
        guard abs(offset - flight.signedOffsetSeconds) > 900 else { return nil }
        return .refusal(
            403, "RequestTimeTooSkewed",
            extra: "<ServerTime>\(timeOfDay(at: side).iso8601)</ServerTime>")
    }

    private func denial(_ flight: Flight) -> Response? {
        guard let key = flight.order.request.key else { return nil }
        let isDenied =
            switch flight.order.request.operation {
            case "GetObject", "HeadObject":
                flight.order.side == .source && scenario.deniedAtSource.contains(key)
            case "GetObjectTagging": scenario.deniedTags.contains(key)
            case "PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload":
                scenario.deniedAtTarget.contains(key)
            default: false
            }
        return isDenied ? .refusal(403, "AccessDenied") : nil
    }

    // MARK: - On the way back

    private func reply(_ served: Served, _ flight: Flight) -> Flight.Reply {
        var served = served
        if flight.order.request.method == .head { served.response.body = [] }
        switch flight.mishap {
        case .answerLost: return .broken(partial: nil)
        case .shortBody:
            guard let object = served.object, object.byteCount > 0 else {
                return .broken(partial: nil)
            }
            // What does not fit is not read at all.
            if case .object(_, let capacity) = flight.order.sink, object.byteCount > capacity {
                break
            }
            let count = Int64.random(in: 0..<object.byteCount, using: &random)
            return .broken(partial: object[0..<count])
        case .flippedDownload:
            if let object = served.object, object.byteCount > 0 {
                served.object = object.flipped(&random)
            }
        case .wrongRange: served = served.withWrongRange(&random)
        default: break
        }
        return .answered(served, timesResent: flight.mishap == .resent ? flight.arrivals - 1 : 0)
    }

    // MARK: - The book

    private func note(_ served: Served, _ flight: inout Flight) {
        var step = record.episodes[flight.episode].steps[flight.step]
        step.servedAt = now
        step.status = served.response.status
        step.seen = served.seen
        step.wrote = served.wrote ?? step.wrote
        record.episodes[flight.episode].steps[flight.step] = step
        note(flight, "✓", served.trace)
    }

    private func note(_ flight: Flight, _ sign: String, _ text: @autoclosure () -> String) {
        record.note(
            now,
            "\(sign) \(flight.order.side) \(flight.order.request.operation) "
                + "\(flight.order.request.key?.description ?? "-") #\(flight.episode) \(text())")
    }
}
