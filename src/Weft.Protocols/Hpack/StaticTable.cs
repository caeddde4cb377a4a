// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Hpack;

/// <summary>The 61 fields that both sides know without being told (RFC 7541 appendix A); indices start at 1.</summary>
public static class StaticTable
{
    private static readonly TextHeaderField[] _fields =
    [
        new(":authority", ""),
        new(":method", "GET"),
        new(":method", "POST"),
        new(":path", "/"),
        new(":path", "/index.html"),
        new(":scheme", "http"),
        new(":scheme", "https"),
        new(":status", "200"),
        new(":status", "204"),
        new(":status", "206"),
        new(":status", "304"),
        new(":status", "400"),
        new(":status", "404"),
        new(":status", "500"),
        new("accept-charset", ""),
        new("accept-encoding", "gzip, deflate"),
        new("accept-language", ""),
        new("accept-ranges", ""),
        new("accept", ""),
        new("access-control-allow-origin", ""),
        new("age", ""),
        new("allow", ""),
        new("authorization", ""),
        new("cache-control", ""),
        new("content-disposition", ""),
        new("content-encoding", ""),
        new("content-language", ""),
        new("content-length", ""),
        new("content-location", ""),
        new("content-range", ""),
        new("content-type", ""),
        new("cookie", ""),
        new("date", ""),
        new("etag", ""),
        new("expect", ""),
        new("expires", ""),
        new("from", ""),
        new("host", ""),
        new("if-match", ""),
        new("if-modified-since", ""),
        new("if-none-match", ""),
        new("if-range", ""),
        new("if-unmodified-since", ""),
        new("last-modified", ""),
        new("link", ""),
        new("location", ""),
        new("max-forwards", ""),
        new("proxy-authenticate", ""),
        new("proxy-authorization", ""),
        new("range", ""),
        new("referer", ""),
        new("refresh", ""),
        new("retry-after", ""),
        new("server", ""),
        new("set-cookie", ""),
        new("strict-transport-security", ""),
        new("transfer-encoding", ""),
        new("user-agent", ""),
        new("vary", ""),
        new("via", ""),
        new("www-authenticate", ""),
    ];

    internal static (string Name, string Value) Entry(int index) => (_fields[index - 1].Name, _fields[index - 1].Value);

    public static int Count => _fields.Length;

    /// <summary>The field of an index from 1 to <see cref="Count"/>.</summary>
    public static TextHeaderField Get(int index) => _fields[index - 1];

    /// <summary>The index of the field, else of its name (<paramref name="nameOnly"/>), else 0.</summary>
    public static int Find(TextHeaderField field, out bool nameOnly)
    {
        nameOnly = true;
        var named = 0;
        for (var i = 0; i < _fields.Length; i++)
        {
            if (!string.Equals(_fields[i].Name, field.Name, StringComparison.Ordinal))
            {
                continue;
            }

            if (string.Equals(_fields[i].Value, field.Value, StringComparison.Ordinal))
            {
                nameOnly = false;
                return i + 1;
            }

            named = named == 0 ? i + 1 : named;
        }

        return named;
    }
}
