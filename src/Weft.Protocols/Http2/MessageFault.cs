// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>Why a message is malformed (RFC 9113 section 8.1.1); each costs the stream a PROTOCOL_ERROR.</summary>
internal enum MessageFault : byte
{
    None,
    FieldName,
    FieldValue,
    PseudoMisplaced,
    PseudoUnexpected,
    MethodInvalid,
    SchemeInvalid,
    PathInvalid,
    AuthorityMissing,
    AuthorityInvalid,
    HostRepeated,
    HostDiffers,
    ConnectTarget,
    ExtendedConnect,
    StatusInvalid,
    ConnectionSpecific,
    Te,
    LengthInvalid,
    LengthDiffers,
    DataWithoutHead,
    DataNotAllowed,
    TrailersWithoutEnd,
    InterimInvalid,
    TooManyInterim,
}
