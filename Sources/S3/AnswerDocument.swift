//! The XML of an answer that is worth nothing unless it is whole.

extension Response {
    /// The document of a body with this root element.
    ///
    /// It may be mended: servers echo a key with control characters as it is, in answers where
    /// nobody reads the key. Who reads one asks for `!isMended` besides.
    func document(_ root: String, of request: Request) throws(S3Error) -> XMLDocument {
        let document = XMLDocument(body)
        if let failure = document.failure {
            throw unusable(request, because: failure.description)
        }
        guard document.elements.last?.path == root else {
            throw unusable(request, because: "the body is no readable \(root)")
        }
        return document
    }
}
