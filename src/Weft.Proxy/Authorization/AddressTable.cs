// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Proxy.Io;

namespace Weft.Proxy.Authorization;

/// <summary>All address blocks that one attribute is compared with: one look-up for each length of a block that occurs.</summary>
internal sealed class AddressTable
{
    private const int MappedBits = 96;
    private const int AllBits = 128;

    private readonly List<(bool IsV4, UInt128 Mask, Dictionary<UInt128, Posting> Blocks)> _lengths = [];

    /// <summary>Throws <see cref="FormatException"/> for a text that is no block.</summary>
    internal void Add(string block, int pair, bool bars)
    {
        var slash = block.IndexOf('/', StringComparison.Ordinal);
        var text = slash < 0 ? block : block[..slash];
        if (!IpEndpoint.TryParse(text, 0, out var address))
        {
            throw new FormatException($"'{block}' is no address block");
        }

        var isV4 = !text.Contains(':', StringComparison.Ordinal);
        var most = isV4 ? AllBits - MappedBits : AllBits;
        var length = most;
        if (slash >= 0 && (!int.TryParse(block.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out length) || length > most))
        {
            throw new FormatException($"'{block}' is no address block");
        }

        length += isV4 ? MappedBits : 0;

        // ::ffff:10.0.0.0/104 means the IPv4 addresses, as which such clients are known.
        isV4 = address.IsV4 && length >= MappedBits;
        var mask = length == 0 ? UInt128.Zero : UInt128.MaxValue << (AllBits - length);
        var index = _lengths.FindIndex(entry => entry.IsV4 == isV4 && entry.Mask == mask);
        if (index < 0)
        {
            index = _lengths.Count;
            _lengths.Add((isV4, mask, []));
        }

        var blocks = _lengths[index].Blocks;
        if (!blocks.TryGetValue(address.Bits & mask, out var posting))
        {
            blocks.Add(address.Bits & mask, posting = new Posting());
        }

        posting.Add(pair, bars);
    }

    internal void Mark(IpEndpoint address, in Marks marks)
    {
        foreach (var (isV4, mask, blocks) in _lengths)
        {
            if (isV4 == address.IsV4 && blocks.TryGetValue(address.Bits & mask, out var posting))
            {
                posting.Mark(marks);
            }
        }
    }
}
