// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http1;

namespace Weft.Proxy.Routing;

/// <summary>
/// Finds what belongs to an authority: exact domains first, then the longest <c>*suffix</c>, then the longest <c>prefix*</c>, then
/// <c>*</c>. Letters' case, a dot behind the name and a port that no domain names make no difference.
/// </summary>
internal sealed class VirtualHostMap<T>
    where T : class
{
    /// <summary>RFC 1035's longest name with dot, port and colon; a longer authority only finds <c>*</c>.</summary>
    public const int MaxAuthority = 262;

    private readonly ByteMap<T> _exact = new();
    private readonly ByteMap<T> _suffix = new();
    private readonly ByteMap<T> _prefix = new();
    private int[] _suffixLengths = [];
    private int[] _prefixLengths = [];
    private T? _any;

    /// <summary>The first entry for a domain stays; the compiler reports the others.</summary>
    public void Add(string domain, T value)
    {
        var text = Encoding.UTF8.GetBytes(domain.ToLowerInvariant());
        if (domain == "*")
        {
            _any ??= value;
        }
        else if (domain.StartsWith('*'))
        {
            _suffix.TryAdd(text[1..], value);
            _suffixLengths = WithLength(_suffixLengths, text.Length - 1);
        }
        else if (domain.EndsWith('*'))
        {
            _prefix.TryAdd(text[..^1], value);
            _prefixLengths = WithLength(_prefixLengths, text.Length - 1);
        }
        else
        {
            Span<byte> room = stackalloc byte[text.Length];
            _exact.TryAdd(WithoutDot(text, room).ToArray(), value);
        }
    }

    public T? Find(ReadOnlySpan<byte> authority)
    {
        if (authority.Length > MaxAuthority)
        {
            return _any;
        }

        Span<byte> lower = stackalloc byte[MaxAuthority];
        Span<byte> room = stackalloc byte[MaxAuthority];
        Ascii.ToLower(authority, lower, out var length);
        var full = WithoutDot(lower[..length], room);
        var host = Authorities.TrySplit(full, out var hostLength, out _) ? full[..hostLength] : full;
        return Find(full, host);
    }

    private T? Find(ReadOnlySpan<byte> full, ReadOnlySpan<byte> host)
    {
        if (_exact.TryGet(full, out var found) || (host.Length < full.Length && _exact.TryGet(host, out found)))
        {
            return found;
        }

        foreach (var length in _suffixLengths)
        {
            // The star stands for at least one character.
            if ((full.Length > length && _suffix.TryGet(full[^length..], out found))
                || (host.Length > length && _suffix.TryGet(host[^length..], out found)))
            {
                return found;
            }
        }

        foreach (var length in _prefixLengths)
        {
            if (full.Length > length && _prefix.TryGet(full[..length], out found))
            {
                return found;
            }
        }

        return _any;
    }

    /// <summary>Takes the dot of the root zone away, which may stand before a port.</summary>
    private static ReadOnlySpan<byte> WithoutDot(ReadOnlySpan<byte> text, Span<byte> room)
    {
        if (text is [.., (byte)'.'])
        {
            return text[..^1];
        }

        var at = text.LastIndexOf(".:"u8);
        if (at < 0)
        {
            return text;
        }

        text[..at].CopyTo(room);
        text[(at + 1)..].CopyTo(room[at..]);
        return room[..(text.Length - 1)];
    }

    private static int[] WithLength(int[] lengths, int length) =>
        lengths.Contains(length) ? lengths : [.. lengths.Append(length).OrderDescending()];
}
