//! Which of S3's rules about uploads in parts a server keeps; each departure is one that a real server has.

import Migration

/// S3 itself is the default.
struct MultipartTraits: Sendable {
    enum Checksums: CaseIterable, Sendable {
        /// `x-amz-checksum-…` is neither looked at nor given back (Ceph).
        case ignored
        /// A wrong one is refused, whatever the upload was created for (Swift).
        case checked
        /// Besides, Create has to name the algorithm, and Complete has to repeat a CRC32C (S3, LocalStack).
        case strict
    }

    enum Repetition: CaseIterable, Sendable {
        /// 200, and the ETag of the first time (S3, Ceph).
        case succeeds
        /// 404 NoSuchUpload (rclone, LocalStack).
        case isUnknown
        /// The condition comes first: 412, because of the very object that was written.
        case isRefused
    }

    enum PartNumber: CaseIterable, Sendable {
        /// 206 with the part and `x-amz-mp-parts-count`.
        case answered
        /// 200 with the whole object (Ceph, rclone).
        case ignored
        /// 405 (older Swift).
        case refused
    }

    /// `If-None-Match: *` on Complete; Ceph ignores it there and honours it on PUT.
    var honoursIfNoneMatch = true
    /// `If-Match` on Complete, in the form that PUT takes; Ceph ignores it.
    var honoursIfMatch = true
    /// The object's ETag is the MD5 of its parts' MD5s and their number; else its own MD5, while Complete's answer has
    /// the other (rclone).
    var hasCompositeETags = true
    /// Ceph answers Complete with an empty ETag.
    var tellsETagOfComplete = true
    var repetition = Repetition.succeeds
    /// Parts in the wrong order are InvalidPartOrder; else they are sorted (Ceph).
    var wantsOrder = true
    /// Complete may leave out parts that were sent; else that is InvalidPart (Ceph, rclone).
    var takesSomeOfTheParts = true
    /// The document that Create answers with; rclone's is called InitiateMultipartUpload.
    var createRoot = "InitiateMultipartUploadResult"
    /// What is said of an upload that has ended; Ceph's ListParts says NoSuchKey.
    var listPartsCodeOfEnded = "NoSuchUpload"
    /// Tags given at Create are kept.
    var keepsTags = true
    var checksums = Checksums.strict
    /// With a damaged part the whole upload is gone (rclone).
    var forgetsUploadOfRefusedPart = false
    var partNumber = PartNumber.answered
    /// All parts but the last have at least this size: 5 MiB on S3; the world's objects are smaller.
    var partBytesMin: Int64 = 1
    var partBytesMax: Int64 = 5 << 30
    var partCountMax = 10_000
    /// Of the lists of parts and uploads; 1,000 on S3.
    var pageCountMax = 1000
}

extension MultipartTraits {
    /// A server of any mixture; one in three is S3 itself.
    init(_ random: inout SeededRandom) {
        partBytesMin = random.pick([1, 1000, 100_000, 1 << 20])
        pageCountMax = random.pick([1, 2, 3, 1000])
        guard random.isTrue(0.67) else { return }
        honoursIfNoneMatch = random.isTrue(0.7)
        hasCompositeETags = random.isTrue(0.75)
        tellsETagOfComplete = random.isTrue(0.7)
        repetition = random.pick(Repetition.allCases)
        wantsOrder = random.isTrue(0.7)
        takesSomeOfTheParts = random.isTrue(0.5)
        createRoot = random.pick([createRoot, createRoot, "InitiateMultipartUpload"])
        listPartsCodeOfEnded = random.pick(["NoSuchUpload", "NoSuchKey"])
        keepsTags = random.isTrue(0.6)
        checksums = random.pick(Checksums.allCases)
        forgetsUploadOfRefusedPart = random.isTrue(0.2)
        partNumber = random.pick(PartNumber.allCases)
    }
}
