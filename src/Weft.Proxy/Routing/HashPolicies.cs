// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Weft.Model;
using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;

namespace Weft.Proxy.Routing;

/// <summary>What of a request decides over its endpoint in clusters that balance by hash (Envoy's hash_policy), compiled once per plan.</summary>
internal sealed class HashPolicies
{
    private readonly HashPolicyPlan[] _plans;
    private readonly byte[][] _names;
    private readonly byte[][] _paths;
    private readonly byte[][] _attributes;

    private HashPolicies(EquatableArray<HashPolicyPlan> plans)
    {
        _plans = [.. plans];
        _names = [.. _plans.Select(plan => Encoding.UTF8.GetBytes(plan.Source == HashSource.Header ? plan.Name.ToLowerInvariant() : plan.Name))];
        _paths = [.. _plans.Select(plan => Encoding.UTF8.GetBytes(plan.Path))];
        _attributes = [.. _plans.Select(plan => Encoding.UTF8.GetBytes(string.Concat(
            plan.Attributes.Select(a => a.Value.Length == 0 ? $"; {a.Name}" : $"; {a.Name}={a.Value}"))))];
    }

    /// <summary>Null for none.</summary>
    internal static HashPolicies? Compile(EquatableArray<HashPolicyPlan> plans) => plans.Count == 0 ? null : new HashPolicies(plans);

    /// <summary>
    /// Hashes what the policies name; what they find is mixed, up to a terminal one that found something. Null where nothing was found.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="client">Its address counts, its port does not.</param>
    /// <param name="random">Makes the value of a cookie that the client has not got yet.</param>
    /// <param name="cookie">The cookie that was made; the response must set it.</param>
    internal ulong? Hash(in RouteRequest request, IpEndpoint client, Random random, ref MadeCookie cookie)
    {
        ulong? hash = null;
        for (var i = 0; i < _plans.Length; i++)
        {
            var plan = _plans[i];
            var found = plan.Source switch
            {
                HashSource.Header => HashOfHeader(request, _names[i]),
                HashSource.Cookie => HashOfCookie(request, i) ?? Make(i, random, ref cookie),
                HashSource.QueryParameter => QueryText.TryFind(request.Head.Query.Of(request.Bytes), _names[i], out var value) ? XxHash64.Of(value) : null,
                _ => HashOfAddress(client),
            };
            if (found is not { } one)
            {
                continue;
            }

            hash = hash is { } earlier ? ((earlier << 1) | (earlier >> 63)) ^ one : one;
            if (plan.Terminal)
            {
                break;
            }
        }

        return hash;
    }

    private static ulong HashOfAddress(IpEndpoint client)
    {
        Span<byte> text = stackalloc byte[IpEndpoint.LongestAddressText];
        return XxHash64.Of(text[..client.FormatAddress(text)]);
    }

    private static ulong? HashOfHeader(in RouteRequest request, ReadOnlySpan<byte> name)
    {
        if (name.Length > 0 && name[0] == ':')
        {
            return name.SequenceEqual(":path"u8) ? XxHash64.Of(request.Head.Target.Of(request.Bytes))
                : name.SequenceEqual(":authority"u8) ? XxHash64.Of(request.Head.Authority.Of(request.Bytes))
                : name.SequenceEqual(":method"u8) ? XxHash64.Of(request.Head.MethodText.Of(request.Bytes)) : null;
        }

        ulong? hash = null;
        foreach (ref readonly var field in request.Head.Fields)
        {
            if (Ascii.EqualsIgnoreCase(field.Name.Of(request.Bytes), name))
            {
                hash = XxHash64.Of(field.Value.Of(request.Bytes), hash ?? 0);
            }
        }

        return hash;
    }

    private ulong? HashOfCookie(in RouteRequest request, int index)
    {
        foreach (ref readonly var field in request.Head.Fields)
        {
            if (Ascii.EqualsIgnoreCase(field.Name.Of(request.Bytes), "cookie"u8) &&
                TryFindCookie(field.Value.Of(request.Bytes), _names[index], out var value))
            {
                return XxHash64.Of(value);
            }
        }

        return null;
    }

    private static bool TryFindCookie(ReadOnlySpan<byte> pairs, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        while (!pairs.IsEmpty)
        {
            var end = pairs.IndexOf((byte)';');
            var pair = (end < 0 ? pairs : pairs[..end]).Trim((byte)' ');
            pairs = end < 0 ? default : pairs[(end + 1)..];
            var equals = pair.IndexOf((byte)'=');
            if (equals > 0 && pair[..equals].SequenceEqual(name))
            {
                value = pair[(equals + 1)..].Trim((byte)'"');
                return !value.IsEmpty;
            }
        }

        value = default;
        return false;
    }

    private ulong? Make(int index, Random random, ref MadeCookie cookie)
    {
        if (_plans[index].TtlMs < 0)
        {
            return null;
        }

        cookie = new MadeCookie(_plans[index].TtlMs / 1000, _names[index], _paths[index], (ulong)random.NextInt64(long.MinValue, long.MaxValue), _attributes[index]);
        Span<byte> text = stackalloc byte[MadeCookie.ValueLength];
        cookie.FormatValue(text);
        return XxHash64.Of(text);
    }
}

/// <summary>A cookie that keeps a client with its endpoint, made because the client had none.</summary>
internal readonly struct MadeCookie(long maxAge, byte[] name, byte[] path, ulong value, byte[] attributes)
{
    internal const int ValueLength = 16;

    internal bool IsNone => name is null;

    internal ReadOnlySpan<byte> Name => name;

    /// <summary>Seconds; 0 for the length of the client's session.</summary>
    internal long MaxAge => maxAge;

    internal ReadOnlySpan<byte> Path => path;

    /// <summary>As they stand in the line, each behind a semicolon.</summary>
    internal ReadOnlySpan<byte> Attributes => attributes;

    internal void FormatValue(Span<byte> text) =>
        Utf8Formatter.TryFormat(value, text, out _, new StandardFormat('x', ValueLength));
}
