// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;

namespace Weft.Proxy.Compression;

/// <summary>Which answers of a chain are compressed, and for whom, compiled.</summary>
internal sealed class CompressionRules
{
    private readonly byte[][] _types;

    internal CompressionRules(CompressorPlan plan)
    {
        Plan = plan;
        Name = plan.Coding == ContentCoding.Gzip ? "gzip"u8.ToArray() : "br"u8.ToArray();
        _types = [.. plan.ContentTypes.Select(Encoding.ASCII.GetBytes)];
    }

    internal CompressorPlan Plan { get; }

    /// <summary>Of the coding.</summary>
    internal byte[] Name { get; }

    /// <summary>Nothing of the answer forbids it; whether the client takes it is another question.</summary>
    internal bool MayCompress(ResponseHead response, ReadOnlySpan<byte> bytes)
    {
        if (response.Status is < 200 or 204 or 206 or 304 || response.IndexOf("content-encoding"u8, bytes) >= 0 || response.IndexOf("content-range"u8, bytes) >= 0)
        {
            return false;
        }

        var control = response.IndexOf("cache-control"u8, bytes);
        return (response.ContentLength < 0 || response.ContentLength >= Plan.MinLength) &&
            !(Plan.SparesTagged && response.IndexOf("etag"u8, bytes) >= 0) &&
            !(control >= 0 && Contains(response.Fields[control].Value.Of(bytes), "no-transform"u8)) && IsListed(response, bytes);
    }

    /// <summary>The share of the client's liking for a coding, in thousandths; 0 if it does not take it.</summary>
    internal static int Liking(ReadOnlySpan<byte> accepted, ReadOnlySpan<byte> coding)
    {
        var others = 0;
        foreach (var range in accepted.Split((byte)','))
        {
            var item = accepted[range];
            var semicolon = item.IndexOf((byte)';');
            var name = (semicolon < 0 ? item : item[..semicolon]).Trim(" \t"u8);
            var weight = semicolon < 0 ? 1000 : Weight(item[(semicolon + 1)..]);
            if (Ascii.EqualsIgnoreCase(name, coding))
            {
                return weight;
            }

            others = name.SequenceEqual("*"u8) ? weight : others;
        }

        return others;
    }

    private static int Weight(ReadOnlySpan<byte> parameters)
    {
        var text = parameters.Trim(" \t"u8);
        return text.Length > 2 && (text[0] | 0x20) == 'q' && text[1] == '=' && Utf8Parser.TryParse(text[2..], out double share, out _)
            ? (int)(Math.Clamp(share, 0, 1) * 1000)
            : 1000;
    }

    private static bool Contains(ReadOnlySpan<byte> list, ReadOnlySpan<byte> word)
    {
        foreach (var range in list.Split((byte)','))
        {
            if (Ascii.EqualsIgnoreCase(list[range].Trim(" \t"u8), word))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsListed(ResponseHead response, ReadOnlySpan<byte> bytes)
    {
        if (!response.TryGet(KnownHeader.ContentType, bytes, out var type))
        {
            return false;
        }

        var semicolon = type.IndexOf((byte)';');
        type = (semicolon < 0 ? type : type[..semicolon]).Trim(" \t"u8);
        foreach (var listed in _types)
        {
            if (Ascii.EqualsIgnoreCase(type, listed))
            {
                return true;
            }
        }

        return false;
    }
}
