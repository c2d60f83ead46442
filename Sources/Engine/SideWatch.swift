//! The thread that asks a side in doubt: is anybody there, and are our credentials still good?

internal import Curl
internal import Migration
internal import S3

/// Probes one side, one request at a time, while nobody knows whether it is up.
struct SideWatch: Sendable {
    let side: Side
    let sides: SharedSides
    let clock: Clock
    let timeout: Duration

    func run() {
        while let task = sides.nextTask(for: side, clock: clock) {
            if task.asksWhetherUp { probe(task.credentials) }
            if task.asksForCredentials { check(task) }
        }
    }

    private var settings: SideSettings { sides.settings[side] }

    /// Any answer of an S3 server will do, a refusal too.
    private func probe(_ credentials: Credentials) {
        let begun = clock.now
        let head = HeadBucket.request(bucket: settings.bucket)
        var failure: String?
        do throws(TransportFault) {
            let answer = try send(head, credentials)
            if RetryPolicy.isAbsence(answer) { failure = "HTTP \(answer.status)" }
        } catch {
            failure = error.message
        }
        sides.probed(side, begunAt: begun, at: clock.now, failure: failure)
    }

    /// Reads the credentials again, and asks the side about them if they are the same.
    private func check(_ task: SharedSides.Task) {
        let begun = clock.now
        do throws(CredentialsProblem) {
            let credentials = try settings.renewal?.read() ?? task.credentials
            guard credentials == task.credentials else { return sides.renew(side, credentials) }
            let isExpired = task.isExpired || areExpired(credentials)
            sides.kept(
                side, isExpired: isExpired, askedAt: begun, at: clock.now,
                problem: "they are still the same")
        } catch {
            sides.kept(
                side, isExpired: task.isExpired, askedAt: begun, at: clock.now,
                problem: error.message)
        }
    }

    /// The refusal of a HEAD has no words; that of a listing has.
    private func areExpired(_ credentials: Credentials) -> Bool {
        let list = Request(
            .get, operation: "ListObjectsV2", bucket: settings.bucket,
            query: [("list-type", "2"), ("max-keys", "1")])
        guard let answer = try? send(list, credentials), answer.status >= 300 else { return false }
        return RetryPolicy.fault(of: answer).faultClass == .expired
    }

    /// Sends one request over a connection of its own: an old one may lead to a host that is no more.
    private func send(
        _ request: Request, _ credentials: Credentials
    ) throws(TransportFault) -> Response {
        var settings = sides.settings
        settings[side].credentials = credentials
        var client: SingleExchange
        do throws(CurlError) {
            client = try SingleExchange(
                source: settings.source, target: settings.target,
                timeout: min(timeout, Limits.probeTimeout), clock: clock)
        } catch {
            throw TransportFault(.broken, message: error.message)
        }
        let answer = Result { () throws(TransportFault) in
            try client.send(ExchangeOrder(side, request)) { sides.isEnded }
        }
        client.close()
        return try answer.get()
    }
}
