// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Net;
using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Routing;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Limits;

/// <summary>Makes one entry of a request's description, as a protobuf message with a key and a value.</summary>
internal sealed class RateAction
{
    private const int EntryField = 1;
    private const int KeyField = 1;
    private const int ValueField = 2;
    // An address, and behind it a slash and at most three digits.
    private const int LongestMasked = ForwardedLines.LongestAddress + 8;

    private readonly RateActionPlan _plan;
    private readonly byte[] _key;
    private readonly byte[] _value;
    private readonly HeaderMatcher[] _headers = [];
    private readonly QueryMatcher[] _parameters = [];

    /// <summary>Throws <see cref="FormatException"/> if a condition cannot be used.</summary>
    internal RateAction(RateActionPlan plan)
    {
        (_plan, _key, _value) = (plan, Encoding.UTF8.GetBytes(plan.Key), Encoding.UTF8.GetBytes(plan.Value));
        if (plan.Kind == RateActionKind.HeaderMatch)
        {
            _headers = [.. plan.Matches.Select(match => new HeaderMatcher(match))];
        }
        else if (plan.Kind == RateActionKind.QueryMatch)
        {
            _parameters = [.. plan.Matches.Select(match => new QueryMatcher(match))];
        }
    }

    /// <summary>Appends the entry, or nothing where it may be missing; false if there is no description without it.</summary>
    internal bool TryAppend(ref NativeBuffer message, Exchange exchange)
    {
        Span<byte> room = stackalloc byte[LongestMasked];
        scoped ReadOnlySpan<byte> value = _value;
        switch (_plan.Kind)
        {
            case RateActionKind.SourceCluster:
                value = exchange.Loop.OwnName;
                break;
            case RateActionKind.DestinationCluster:
                value = exchange.Target is { } target ? target.NameBytes : default;
                break;
            case RateActionKind.RemoteAddress:
                value = ForwardedLines.ClientAddress(exchange);
                break;
            case RateActionKind.MaskedRemoteAddress:
                value = Masked(ForwardedLines.ClientAddress(exchange), room);
                break;
            case RateActionKind.RequestHeader when !TryHeader(exchange, out value):
            case RateActionKind.QueryParameter when !QueryText.TryFind(exchange.Request.Query.Of(exchange.RequestBytes), _value, out value):
                return _plan.SkipsAbsent;
            case RateActionKind.HeaderMatch or RateActionKind.QueryMatch when Holds(exchange) != _plan.ExpectsMatch:
                return false;
        }

        if (value.IsEmpty)
        {
            return _plan.SkipsAbsent;
        }

        Append(ref message, _key, value);
        return true;
    }

    /// <summary>An entry; what the operator writes for a local limit is compared with these bytes.</summary>
    internal static void Append(ref NativeBuffer message, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var start = message.Length;
        ProtoFields.Append(ref message, KeyField, key);
        ProtoFields.Append(ref message, ValueField, value);
        ProtoFields.Close(ref message, start, EntryField);
    }

    private bool Holds(Exchange exchange)
    {
        var request = new RouteRequest(exchange.Request, exchange.RequestBytes, "http"u8);
        foreach (var header in _headers)
        {
            if (!header.Matches(request))
            {
                return false;
            }
        }

        foreach (var parameter in _parameters)
        {
            if (!parameter.Matches(request))
            {
                return false;
            }
        }

        return true;
    }

    private bool TryHeader(Exchange exchange, out ReadOnlySpan<byte> value)
    {
        var request = exchange.Request;
        var bytes = exchange.RequestBytes;
        value = default;
        if (_value is not [(byte)':', ..] and not [(byte)'h', (byte)'o', (byte)'s', (byte)'t'])
        {
            var index = request.IndexOf(_value, bytes);
            value = index < 0 ? default : request.Fields[index].Value.Of(bytes);
            return index >= 0;
        }

        value = _value.AsSpan().SequenceEqual(":path"u8) ? request.Target.Of(bytes)
            : _value.AsSpan().SequenceEqual(":method"u8) ? request.MethodText.Of(bytes)
            : _value.AsSpan().SequenceEqual(":scheme"u8) ? "http"u8
            : _value.AsSpan().SequenceEqual(":authority"u8) || _value.Length == 4 ? request.Authority.Of(bytes)
            : default;
        return !value.IsEmpty;
    }

    /// <summary>The address with its other bits zero and the length of the mask behind it. A whole one is not looked into.</summary>
    private ReadOnlySpan<byte> Masked(ReadOnlySpan<byte> address, Span<byte> room)
    {
        var isV4 = address.IndexOf((byte)':') < 0;
        var bits = isV4 ? _plan.V4Bits : _plan.V6Bits;
        var length = address.Length;
        if (bits == (isV4 ? 32 : 128))
        {
            address.CopyTo(room);
        }
        else if (isV4)
        {
            if (!TryV4(address, out var whole))
            {
                return default;
            }

            var kept = bits == 0 ? 0 : whole & (uint.MaxValue << (32 - bits));
            length = IpEndpoint.V4(kept, 0).FormatAddress(room);
        }
        else if (!TryV6(address, bits, room, out length))
        {
            return default;
        }

        room[length++] = (byte)'/';
        Utf8Formatter.TryFormat(bits, room[length..], out var digits);
        return room[..(length + digits)];
    }

    private static bool TryV4(ReadOnlySpan<byte> text, out uint address)
    {
        address = 0;
        for (var part = 0; part < 4; part++)
        {
            if (!Utf8Parser.TryParse(text, out byte octet, out var digits) || (part < 3) != (digits < text.Length))
            {
                return false;
            }

            address = (address << 8) | octet;
            text = part < 3 ? text[(digits + 1)..] : default;
        }

        return true;
    }

    /// <summary>Version 6 has many spellings, so the runtime reads and writes it; this is the only entry that makes an object.</summary>
    private static bool TryV6(ReadOnlySpan<byte> text, int bits, Span<byte> room, out int length)
    {
        length = 0;
        Span<byte> octets = stackalloc byte[16];
        Span<char> characters = stackalloc char[ForwardedLines.LongestAddress];
        if (text.Length > characters.Length || !IPAddress.TryParse(characters[..Encoding.ASCII.GetChars(text, characters)], out var address)
            || !address.TryWriteBytes(octets, out var size) || size != octets.Length)
        {
            return false;
        }

        for (var i = 0; i < octets.Length; i++)
        {
            var kept = Math.Clamp(bits - (8 * i), 0, 8);
            octets[i] &= (byte)(0xFF << (8 - kept));
        }

        return new IPAddress(octets).TryFormat(room, out length);
    }
}
