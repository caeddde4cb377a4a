// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>Why bytes were refused. <see cref="Http1Errors"/> gives the status code to answer, the RFC section and a sentence.</summary>
public enum Http1Error : byte
{
    None,

    // Start line.
    LeadingEmptyLines,
    RequestLine,
    Method,
    MethodTooLong,
    MethodNotAllowed,
    Target,
    TargetTooLong,
    TargetForm,
    Version,
    VersionNotSupported,
    StatusLine,

    // Lines and fields.
    BareLineFeed,
    BareCarriageReturn,
    Folding,
    FieldName,
    FieldWithoutColon,
    SpaceBeforeColon,
    FieldValue,
    TooManyFields,
    HeadTooLong,

    // Fields with a meaning.
    HostMissing,
    HostRepeated,
    HostInvalid,
    HostDiffers,
    LengthInvalid,
    LengthRepeated,
    LengthAndTransferEncoding,
    TransferEncodingInvalid,
    TransferEncodingRepeated,
    TransferEncodingInHttp10,
    Expectation,
    ConnectionOption,
    TooManyConnectionOptions,
    UpgradeInvalid,
    AuthorizationRepeated,

    // Chunked bodies.
    ChunkSize,
    ChunkSizeTooLarge,
    ChunkLineTooLong,
    ChunkExtension,
    ChunkExtensionsTooLong,
    ChunkEnd,
    TrailerInvalid,
    TrailersTooLong,
    TooManyTrailers,
}
