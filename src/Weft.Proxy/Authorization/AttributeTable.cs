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

    private readonly byte[] _key;
    private readonly string _keyText;
    private readonly TextTable _texts = new();
    private readonly AddressTable _addresses = new();
    private readonly ulong[] _open;

    internal AttributeTable(RequestTrait attribute, string key, int pairs)
    {
        Attribute = attribute;
        _keyText = key;
        _key = Encoding.ASCII.GetBytes(key);
        _open = new ulong[(pairs + 63) >> 6];
        Array.Fill(_open, ulong.MaxValue);
    }

    internal RequestTrait Attribute { get; }

    internal bool IsOf(AttributeMatchPlan match) => match.Attribute == Attribute && match.Key == _keyText;

    internal bool IsOpenTo(int pair) => (_open[pair >> 6] & (1UL << (pair & 63))) != 0;

    /// <summary>Throws <see cref="FormatException"/> for what cannot be compared.</summary>
    internal void Add(AuthorizationClausePlan clause, int pair)
    {
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

    /// <summary>Every field of the name by itself: a list that is joined could hide a value from a rule.</summary>
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

        for (var i = request.IndexOf(_key, bytes); i >= 0; i = request.IndexOf(_key, bytes, i + 1))
        {
            var value = request.Fields[i].Value.Of(bytes);
            _texts.Mark(value, value, isField: true, marks);
        }
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
        var bytes = Room(name.Length);
        MarkText(bytes[..Encoding.ASCII.GetBytes(name, bytes)], marks);
    }

    private void MarkHost(ReadOnlySpan<byte> host, in Marks marks)
    {
        var lower = Room(host.Length);
        for (var i = 0; i < host.Length; i++)
        {
            lower[i] = host[i] is >= (byte)'A' and <= (byte)'Z' ? (byte)(host[i] | 0x20) : host[i];
        }

        MarkText(lower[..host.Length], marks);
    }

    /// <summary>Of this thread; grows as long as heads do.</summary>
    private static Span<byte> Room(int length)
    {
        const int First = 512;
        if (_lower is null || _lower.Length < length)
        {
            _lower = new byte[Math.Max(First, length)];
        }

        return _lower;
    }
}
