// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Hpack;

/// <summary>Why a header block cannot be read. All but <see cref="ListTooLarge"/> end the connection (COMPRESSION_ERROR).</summary>
internal enum HpackError
{
    None,
    Truncated,
    IntegerTooLarge,
    BadIndex,
    BadHuffman,
    TableTooLarge,
    LateTableUpdate,

    /// <summary>The list is over the limit; the block was read to its end, so the connection can go on.</summary>
    ListTooLarge,

    /// <summary>The list is so far over the limit that the block was not read to its end.</summary>
    ListBomb,
}
