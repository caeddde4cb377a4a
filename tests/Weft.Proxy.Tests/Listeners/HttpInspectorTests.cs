// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Proxy.Listeners;
using Xunit;

namespace Weft.Proxy.Tests.Listeners;

public sealed class HttpInspectorTests
{
    [Theory]
    [InlineData("GET / HTTP/1.1\r\n", "http/1.1")]
    [InlineData("GET / HTTP/1.0\r\n", "http/1.0")]
    [InlineData("GET / HTTP/1.1\n", "http/1.1")]
    [InlineData("\r\n\r\nGET / HTTP/1.1\r\n", "http/1.1")]
    [InlineData("OPTIONS * HTTP/1.1\r\n", "http/1.1")]
    [InlineData("CONNECT a:443 HTTP/1.1\r\n", "http/1.1")]
    [InlineData("GET http://a/ HTTP/1.1\r\n", "http/1.1")]
    [InlineData("BREW /pot HTTP/1.1\r\n", "http/1.1")]
    [InlineData("BREW HTTP://a/pot HTTP/1.1\r\n", "http/1.1")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "h2c")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0", "h2c")]
    public void Http_is_recognised_however_its_bytes_come(string text, string expected)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        for (var length = 0; length < bytes.Length; length++)
        {
            // A method that nobody knows is believed with the path behind it, not before.
            var found = HttpInspector.Inspect(bytes.AsSpan(0, length));
            if (text.StartsWith("BREW", StringComparison.Ordinal) && length is > 0 and < 9)
            {
                continue;
            }

            Assert.True(found is null || (found is [var one] && one == expected), text[..length]);
        }

        Assert.Equal([expected], HttpInspector.Inspect(bytes));
    }

    [Theory]
    [InlineData("get / http/1.1\r\n")]
    [InlineData("GET /  HTTP/1.1 \r\n")]
    [InlineData("GET / HTTP/1.9\r\n")]
    [InlineData("GET /\tHTTP/1.1\r\n")]
    [InlineData("GET / HTTP/1.1 \t\r\n")]
    public void What_only_looks_like_http_goes_to_the_strict_parser(string text) =>
        Assert.Equal(["http/1.1"], HttpInspector.Inspect(Encoding.Latin1.GetBytes(text)));

    [Theory]
    [InlineData("HELLO")]
    [InlineData("EHLO mail\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n")]
    [InlineData("INVITE sip:a@b SIP/2.0\r\n")]
    [InlineData("OPTIONS rtsp://a RTSP/1.0\r\n")]
    [InlineData("GET key\r\n")]
    [InlineData("get key\r\n")]
    [InlineData("PING\r\n")]
    [InlineData("*1\r\n$4\r\nPING\r\n")]
    [InlineData("AMQP\0\0\x09\x01")]
    [InlineData("GET \x01\x02\x03")]
    [InlineData("\0\0\0\x08\x04\xd2\x16\x2f")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")]
    public void Other_protocols_are_not(string text) => Assert.Empty(HttpInspector.Inspect(Encoding.Latin1.GetBytes(text))!);

    [Theory]
    [InlineData("", false)]
    [InlineData("\r\n", false)]
    [InlineData("GE", true)]
    [InlineData("GET /admi", true)]
    [InlineData("PRI * HT", true)]
    public void Half_a_request_is_not_turned_into_opaque_bytes_by_waiting(string text, bool isHttp)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        Assert.Null(HttpInspector.Inspect(bytes));
        Assert.Equal(isHttp, HttpInspector.Inspect(bytes, timedOut: true)!.Count == 1);
    }

    [Theory]
    [InlineData(HttpInspector.LineLimit, false)]
    [InlineData(HttpInspector.LineLimit + 1, true)]
    public void A_line_that_is_too_long_is_still_http(int length, bool isDecided)
    {
        var found = HttpInspector.Inspect(Encoding.Latin1.GetBytes("GET /" + new string('x', length - 5)));
        Assert.Equal(isDecided, found is ["http/1.1"]);
    }
}
