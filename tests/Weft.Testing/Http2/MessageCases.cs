// SPDX-License-Identifier: Apache-2.0

namespace Weft.Testing.Http2;

/// <summary>What a request may be: RFC 9113 section 8. A malformed one costs its stream and nobody else's.</summary>
internal static class MessageCases
{
    internal static IReadOnlyList<ConformanceCase> All { get; } =
    [
        Good("8.1", "A request with content and trailers", c =>
        {
            c.Headers(1, false, c.Post);
            c.Data(1, false, 4);
            c.Headers(1, true, ("x-trailer", "t"));
        }),
        Bad("8.1", "Trailers that do not end the stream", c =>
        {
            c.Headers(1, false, c.Post);
            c.Headers(1, false, ("x-trailer", "t"));
        }),
        BadField("8.2.1", "A name in upper case", "X-Upper", "v"),
        BadField("8.2.1", "A name with a space", "x y", "v"),
        BadField("8.2.1", "A name with a colon", "x: y", "v"),
        BadField("8.2.1", "A name with a control character", "x\u0001", "v"),
        BadField("8.2.1", "A name with obs-text", "x\u00e4", "v"),
        BadField("8.2.1", "An empty name", "", "v"),
        BadField("8.2.1", "A value with CR", "x", "a\rb"),
        BadField("8.2.1", "A value with LF", "x", "a\nb: c"),
        BadField("8.2.1", "A value with NUL", "x", "a\0b"),
        BadField("8.2.1", "A value with a space before it", "x", " a"),
        BadField("8.2.1", "A value with a tab behind it", "x", "a\t"),
        BadField("8.2.2", "Connection", "connection", "keep-alive"),
        BadField("8.2.2", "Keep-Alive", "keep-alive", "1"),
        BadField("8.2.2", "Proxy-Connection", "proxy-connection", "close"),
        BadField("8.2.2", "Upgrade", "upgrade", "websocket"),
        BadField("8.2.2", "Transfer-Encoding", "transfer-encoding", "chunked"),
        BadField("8.2.2", "TE with anything but trailers", "te", "gzip"),
        BadField("8.2.2", "TE with more than trailers", "te", "trailers, deflate;q=0.5"),
        Good("8.2.2", "TE with trailers", c => c.Headers(1, true, [.. c.Get, ("te", "trailers")])),
        Good("8.2.3", "Cookies in crumbs", c => c.Headers(1, true, [.. c.Get, ("cookie", "a=b"), ("cookie", "c=d")])),
        BadField("8.3", "A pseudo-header that nobody knows", ":foo", "v"),
        BadField("8.3", "A pseudo-header of responses", ":status", "200"),
        Bad("8.3", "A pseudo-header behind a field", c => c.Headers(1, true, [("x", "y"), .. c.Get])),
        Bad("8.3", "A pseudo-header in trailers", c =>
        {
            c.Headers(1, false, c.Post);
            c.Headers(1, true, (":method", "POST"));
        }),
        Without("The method is missing", ":method"),
        Without("The scheme is missing", ":scheme"),
        Without("The path is missing", ":path"),
        Without("Authority and Host are missing", ":authority"),
        Twice("The method comes twice", ":method"),
        Twice("The scheme comes twice", ":scheme"),
        Twice("The path comes twice", ":path"),
        Twice("The authority comes twice", ":authority"),
        With("An empty path", ":path", ""),
        With("A path without a slash", ":path", "hello"),
        With("An asterisk with GET", ":path", "*"),
        With("A path with a space", ":path", "/a b"),
        With("A path with CR LF", ":path", "/ HTTP/1.1\r\nx: y"),
        With("A path with a fragment", ":path", "/a#b"),
        With("An empty method", ":method", ""),
        With("A method with CR LF", ":method", "GET / HTTP/1.1\r\nx:"),
        With("A method with a space", ":method", "GE T"),
        With("A scheme that is a URL", ":scheme", "http://evil/x?"),
        With("An empty authority", ":authority", ""),
        With("An authority with user information", ":authority", "user@weft.test"),
        With("An authority with CR LF", ":authority", "a\r\nb"),
        With("An authority with a path", ":authority", "a/b"),
        With("An authority with a port that is none", ":authority", "a:99999"),
        Good("8.3.1", "OPTIONS of everything", c => c.Headers(1, true, Change(c, (":method", "OPTIONS"), (":path", "*")))),
        Good("8.3.1", "Host instead of an authority", c => c.Headers(1, true, [.. c.Get.Take(3), ("host", c.Get[3].Value)])),
        Good("8.3.1", "Host like the authority", c => c.Headers(1, true, [.. c.Get, ("host", c.Get[3].Value.ToUpperInvariant())])),
        BadField("8.3.1", "Host unlike the authority", "host", "elsewhere.test"),
        Bad("8.3.1", "Two Hosts", c => c.Headers(1, true, [.. c.Get.Take(3), ("host", "a"), ("host", "a")])),
        Bad("8.5", "CONNECT with a path", c => c.Headers(1, false, Change(c, (":method", "CONNECT"), (":scheme", null)))),
        Bad("8.5", "CONNECT with a scheme", c => c.Headers(1, false, Change(c, (":method", "CONNECT"), (":path", null)))),
        Bad("8.5", "CONNECT without an authority", c => c.Headers(1, false, (":method", "CONNECT"))),
        Bad("RFC 8441", "A protocol with another method than CONNECT", c => c.Headers(1, true, [.. c.Get, (":protocol", "websocket")])),
        Bad("8.1.1", "DATA end before the length", c => Content(c, "5", (4, true))),
        Bad("8.1.1", "DATA go over the length", c => Content(c, "5", (6, true))),
        Bad("8.1.1", "DATA of two frames go over the length", c => Content(c, "5", (4, false), (4, true))),
        Bad("8.1.1", "DATA of two frames end before the length", c => Content(c, "9", (4, false), (4, true))),
        Bad("8.1.1", "A length without DATA", c => c.Headers(1, true, [.. c.Post, ("content-length", "1")])),
        Bad("8.1.1", "Trailers come before the length", c =>
        {
            Content(c, "5", (4, false));
            c.Headers(1, true, ("x", "y"));
        }),
        Bad("8.1.1", "Two lengths", c => c.Headers(1, false, [.. c.Post, ("content-length", "5"), ("content-length", "5")])),
        Bad("8.1.1", "A length with a sign", c => Content(c, "+5", (5, true))),
        Bad("8.1.1", "A length with a list", c => Content(c, "5, 5", (5, true))),
        Good("8.1.1", "DATA of the length", c => Content(c, "8", (4, false), (4, true))),
    ];

    private static void Content(ConformanceClient c, string length, params (int Length, bool End)[] data)
    {
        c.Headers(1, false, [.. c.Post, ("content-length", length)]);
        foreach (var (count, end) in data)
        {
            c.Data(1, end, count);
        }
    }

    private static IEnumerable<(string Name, string Value)> Change(ConformanceClient c, params (string Name, string? Value)[] changes) =>
        c.Get.Where(field => !changes.Any(change => change.Name == field.Name && change.Value is null))
            .Select(field => changes.FirstOrDefault(change => change.Name == field.Name) is { Value: { } value } ? (field.Name, value) : field);

    private static ConformanceCase Good(string section, string name, Action<ConformanceClient> send) => FramingCases.After(section, name, c =>
    {
        send(c);
        c.ExpectAnswer(1);
    });

    private static ConformanceCase Bad(string section, string name, Action<ConformanceClient> send) => FramingCases.After(section, name, c =>
    {
        send(c);
        c.ExpectOnlyStreamError(1, WireError.Protocol);
    });

    private static ConformanceCase BadField(string section, string name, string field, string value) =>
        Bad(section, name, c => c.Headers(1, true, [.. c.Get, (field, value)]));

    private static ConformanceCase Without(string name, string pseudo) =>
        Bad("8.3.1", name, c => c.Headers(1, true, Change(c, (pseudo, null))));

    private static ConformanceCase With(string name, string pseudo, string value) =>
        Bad("8.3.1", name, c => c.Headers(1, true, Change(c, (pseudo, value))));

    private static ConformanceCase Twice(string name, string pseudo) =>
        Bad("8.3.1", name, c => c.Headers(1, true, [.. c.Get, c.Get.Single(field => field.Name == pseudo)]));
}
