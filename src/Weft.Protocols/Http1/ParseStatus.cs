// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>What a push parser says about the bytes it was given.</summary>
public enum ParseStatus : byte
{
    /// <summary>A whole message head is there; its length says how many bytes it took.</summary>
    Done,

    /// <summary>The bytes are right so far; call again with the same bytes and more behind them.</summary>
    NeedMore,

    /// <summary>The bytes are refused; the connection cannot be used any more.</summary>
    Invalid,
}
