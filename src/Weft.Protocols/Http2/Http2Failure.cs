// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>Why a whole connection has to be closed.</summary>
/// <param name="Code">What we tell the peer in GOAWAY.</param>
/// <param name="Text">A sentence that names the frame and the rule, or the limit.</param>
public sealed record Http2Failure(Http2ErrorCode Code, string Text);
