//! A multipart copy before an object that the target has already: may it be replaced?

internal import S3

extension MultipartCopy {
    /// Reads what the target shows, and when that was written; nil for an answer without a size.
    mutating func found(_ response: Response, in context: TransferContext) -> ObjectFacts? {
        guard let found = try? HeadObject.answer(response, to: asked) else { return nil }
        self.found = found
        targetWrite = WriteTime(
            found, date: response.date, asked: shownAt, answered: context.now)
        targetDate = response.date
        datedAt = context.now
        return found
    }

    /// The place of the target's object, if it may be replaced.
    func place(
        of found: ObjectFacts, _ comparison: Proof, in context: TransferContext
    ) -> Place? {
        let isOlder = sourceWrite.flatMap { targetWrite?.isSurelyBefore($0) } ?? false
        return context.rules.place(
            of: found, comparison, ourETag: item.damagedETag, isOlder: isOlder)
    }

    /// Goes on towards that place: with the upload, if it has begun.
    mutating func take(_ place: Place, in context: inout TransferContext) -> TransferAction {
        replacementCount += 1
        guard replacementCount <= Limits.replacementsMax else {
            let fault = Fault(
                .conflict, status: 412,
                message: "the target's object changes whenever it is about to be replaced")
            return giveUp(attempts.failure(.complete, fault, ourETag: written), in: &context)
        }
        self.place = place
        if isUploadGone, record != nil {
            let fault = Fault(
                .conflict, status: 404, message: "the upload is gone, and the object another's")
            return uploadGone(fault, in: &context)
        }
        return record == nil ? upload(in: context) : recheckSource(in: context)
    }

    /// Whether the target shows the very object that we have decided to replace.
    func isStillThere(_ response: Response) -> Bool {
        guard case .taken = place, let found,
            let seen = try? HeadObject.answer(response, to: asked)
        else { return false }
        return found.isSameObject(as: seen)
    }
}
