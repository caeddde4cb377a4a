// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;

namespace Weft.Proxy.Authorization;

/// <summary>
/// What a list of rules wants of one attribute: for each of its values, which pairs of alternatives need it or are ruled out by it. Pairs
/// that need nothing of it are open.
/// </summary>
internal sealed class AttributeTable
{
    [ThreadStatic]
    private static byte[]? _lower;

    [ThreadStatic]
    private static ulong[]? _bits;

    private readonly byte[] _key;
    private readonly string _keyText;
    private readonly TextTable _texts = new();
    private readonly AddressTable _addresses = new();
    private readonly ulong[] _open;
    private readonly ulong[] _used;
    private readonly bool _allows;

    internal AttributeTable(RequestTrait attribute, string key, AuthorizationAction action, int pairs)
    {
        Attribute = attribute;
        _allows = action == AuthorizationAction.Allow;
        _keyText = key;
        _key = Encoding.ASCII.GetBytes(key);
        _open = new ulong[(pairs + 63) >> 6];
        _used = new ulong[_open.Length];
        Array.Fill(_open, ulong.MaxValue);
    }

    internal RequestTrait Attribute { get; }

    internal bool IsOf(AttributeMatchPlan match) => match.Attribute == Attribute && match.Key == _keyText;

    /// <summary>
    /// A pair that needs two things of one attribute needs two tables; what it rules out can share one, but for fields, of which each
    /// clause asks all values anew.
    /// </summary>
    internal bool HasRoomFor(AuthorizationClausePlan clause, int pair) =>
        ((Attribute == RequestTrait.Header ? _used[pair >> 6] : clause.Not ? 0 : ~_open[pair >> 6]) & (1UL << (pair & 63))) == 0;

    /// <summary>Throws <see cref="FormatException"/> for what cannot be compared.</summary>
    internal void Add(AuthorizationClausePlan clause, int pair)
    {
        _used[pair >> 6] |= 1UL << (pair & 63);
        if (!clause.Not)
        {
            _open[pair >> 6] &= ~(1UL << (pair & 63));
        }

        foreach (var match in clause.AnyOf)
        {
            if (match.Kind == AttributeMatchKind.Network)
            {
                _addresses.Add(match.Value, pair, clause.Not);
            }
            else
            {
                _texts.Add(match, pair, clause.Not);
            }
        }
    }

    /// <summary>Leaves those pairs that the attribute leaves possible; false if there is none.</summary>
    internal bool Narrow(in AccessFacts facts, in Marks marks)
    {
        _open.CopyTo(marks.Held);
        Mark(facts, marks);
        var left = marks.Left;
        var held = marks.Held;
        var any = 0UL;
        for (var i = 0; i < left.Length; i++)
        {
            any |= left[i] &= held[i];
        }

        return any != 0;
    }

    private void Mark(in AccessFacts facts, in Marks marks)
    {
        switch (Attribute)
        {
            case RequestTrait.Principal:
                if (facts.Peer is { } peer)
                {
                    _texts.Mark(peer.Principal, peer.Uri, isField: false, marks);
                }

                break;
            case RequestTrait.Namespace:
                MarkText(facts.Peer?.Namespace, marks);
                break;
            case RequestTrait.ServiceAccount:
                MarkText(facts.Peer?.ServiceAccount, marks);
                break;
            case RequestTrait.TrustDomain:
                MarkText(facts.Peer?.TrustDomain, marks);
                break;
            case RequestTrait.SourceAddress:
                _addresses.Mark(facts.Source, marks);
                break;
            case RequestTrait.RemoteAddress:
                _addresses.Mark(RemoteAddress.Of(facts), marks);
                break;
            case RequestTrait.DestinationAddress:
                _addresses.Mark(facts.Destination, marks);
                break;
            case RequestTrait.DestinationPort:
                MarkPort(facts.Destination.Port, marks);
                break;
            case RequestTrait.ServerName:
                MarkServerName(facts.ServerName, marks);
                break;
            default:
                if (facts.Request is { } request)
                {
                    MarkRequest(request, facts.Bytes, marks);
                }

                break;
        }
    }

    private void MarkRequest(RequestHead request, ReadOnlySpan<byte> bytes, in Marks marks)
    {
        switch (Attribute)
        {
            case RequestTrait.Host:
                MarkHost(request.Authority.Of(bytes), marks);
                break;
            case RequestTrait.Method:
                MarkText(request.MethodText.Of(bytes), marks);
                break;
            case RequestTrait.Path:
                MarkText(request.PathOf(bytes), marks);
                break;
            case RequestTrait.Header:
                MarkFields(request, bytes, marks);
                break;
        }
    }

    /// <summary>
    /// Every field of the name by itself: a list that is joined could hide a value from a rule. A rule that allows holds if it does for
    /// each of them, any other if it does for one.
    /// </summary>
    private void MarkFields(RequestHead request, ReadOnlySpan<byte> bytes, in Marks marks)
    {
        switch (_keyText)
        {
            case ":authority" or "host":
                MarkText(request.Authority.Of(bytes), marks);
                return;
            case ":method":
                MarkText(request.MethodText.Of(bytes), marks);
                return;
            case ":path":
                MarkText(request.Target.Of(bytes), marks);
                return;
        }

        var first = request.IndexOf(_key, bytes);
        if (first >= 0 && request.IndexOf(_key, bytes, first + 1) >= 0)
        {
            MarkRepeated(request, bytes, first, marks);
        }
        else if (first >= 0)
        {
            MarkField(request, bytes, first, marks);
        }
    }

    private void MarkRepeated(RequestHead request, ReadOnlySpan<byte> bytes, int first, in Marks marks)
    {
        var words = _open.Length;
        var room = Room(ref _bits, 2 * words);
        var one = room[..words];
        var all = room[words..(2 * words)];
        all.Fill(_allows ? ulong.MaxValue : 0);
        for (var i = first; i >= 0; i = request.IndexOf(_key, bytes, i + 1))
        {
            if (_allows)
            {
                _open.CopyTo(one);
                MarkField(request, bytes, i, new Marks(marks.Left, one));
            }
            else
            {
                one.Fill(ulong.MaxValue);
                MarkField(request, bytes, i, new Marks(one, marks.Held));
            }

            for (var word = 0; word < words; word++)
            {
                all[word] = _allows ? all[word] & one[word] : all[word] | one[word];
            }
        }

        var target = _allows ? marks.Held : marks.Left;
        for (var word = 0; word < words; word++)
        {
            target[word] = _allows ? all[word] : target[word] & all[word];
        }
    }

    private void MarkField(RequestHead request, ReadOnlySpan<byte> bytes, int index, in Marks marks)
    {
        var value = request.Fields[index].Value.Of(bytes);
        _texts.Mark(value, value, isField: true, marks);
    }

    private void MarkText(ReadOnlySpan<byte> text, in Marks marks)
    {
        if (!text.IsEmpty)
        {
            _texts.Mark(text, text, isField: false, marks);
        }
    }

    private void MarkPort(int port, in Marks marks)
    {
        Span<byte> digits = stackalloc byte[8];
        Utf8Formatter.TryFormat(port, digits, out var length);
        MarkText(digits[..length], marks);
    }

    private void MarkServerName(string name, in Marks marks)
    {
        var bytes = Room(ref _lower, name.Length);
        MarkText(bytes[..Encoding.ASCII.GetBytes(name, bytes)], marks);
    }

    private void MarkHost(ReadOnlySpan<byte> host, in Marks marks)
    {
        var lower = Room(ref _lower, host.Length);
        for (var i = 0; i < host.Length; i++)
        {
            lower[i] = host[i] is >= (byte)'A' and <= (byte)'Z' ? (byte)(host[i] | 0x20) : host[i];
        }

        MarkText(lower[..host.Length], marks);
    }

    /// <summary>Of this thread; grows as long as heads and lists of rules do.</summary>
    private static Span<T> Room<T>(ref T[]? room, int length)
    {
        const int First = 512;
        if (room is null || room.Length < length)
        {
            room = new T[Math.Max(First, length)];
        }

        return room;
    }
}
