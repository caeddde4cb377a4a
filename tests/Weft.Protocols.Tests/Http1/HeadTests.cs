// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http1;
using Xunit;

namespace Weft.Protocols.Tests.Http1;

public sealed class HeadTests
{
    private readonly RequestHead _request = new();
    private readonly ResponseHead _response = new();

    [Fact]
    public void A_request_head_is_taken_apart()
    {
        var bytes = Parse("\r\nPOST /a/b?c=d?e HTTP/1.1\r\nHost:a.test:80\r\nContent-Length:  7 \r\nX-Y: \r\n\r\nrest");
        Assert.Equal(KnownMethod.Post, _request.Method);
        Assert.Equal("/a/b", Text(_request.Path, bytes));
        Assert.Equal("c=d?e", Text(_request.Query, bytes));
        Assert.Equal("/a/b?c=d?e", Text(_request.Target, bytes));
        Assert.Equal("a.test:80", Text(_request.Authority, bytes));
        Assert.Equal((BodyFraming.Length, 7L), (_request.Framing, _request.ContentLength));
        Assert.Equal(bytes.Length - "rest".Length, _request.Length);
        Assert.Equal(["Host", "Content-Length", "X-Y"], _request.Fields.ToArray().Select(field => Text(field.Name, bytes)));
        Assert.Equal(["a.test:80", "7", ""], _request.Fields.ToArray().Select(field => Text(field.Value, bytes)));
        Assert.Equal((2, bytes.AsSpan().IndexOf("Host"u8)), (_request.StartLineStart, _request.FieldsStart));
        Assert.Equal(2, _request.IndexOf("x-y"u8, bytes));
        Assert.Equal(-1, _request.IndexOf("x-y"u8, bytes, 3));
        Assert.True(_request.KeepAlive);
    }

    [Theory]
    [InlineData("http://a.test", "/", "")]
    [InlineData("HTTP://A.test/x?y", "/x", "y")]
    [InlineData("http://a.test?y", "/", "y")]
    public void An_absolute_target_is_split(string target, string path, string query)
    {
        var bytes = Parse($"GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n");
        Assert.Equal(TargetForm.Absolute, _request.Form);
        Assert.Equal(path, Encoding.ASCII.GetString(_request.PathOf(bytes)));
        Assert.Equal(query, Text(_request.Query, bytes));
        Assert.Equal("a.test", Text(_request.Authority, bytes), ignoreCase: true);
    }

    [Fact]
    public void A_request_of_version_1_0_needs_no_host_and_closes_unless_it_says_otherwise()
    {
        Parse("GET / HTTP/1.0\r\n\r\n");
        Assert.Equal((0, false, true), (_request.MinorVersion, _request.KeepAlive, _request.Authority.IsEmpty));
        Parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
        Assert.True(_request.KeepAlive);
        Parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n");
        Assert.False(_request.KeepAlive);
    }

    [Fact]
    public void Rules_may_allow_tunnels_traces_and_https()
    {
        var rules = new Http1Rules { AllowConnect = true, AllowTrace = true, AllowHttpsTarget = true };
        Parse("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", rules);
        Assert.Equal((TargetForm.Authority, BodyFraming.Tunnel), (_request.Form, _request.Framing));
        Parse("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", rules);
        Parse("GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", rules);
        Parse("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", rules);
        Assert.Equal(TargetForm.Asterisk, _request.Form);
        Refused("CONNECT a.test HTTP/1.1\r\nHost: a.test\r\n\r\n", Http1Error.TargetForm, rules);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("a:1", true)]
    [InlineData("a:65535", true)]
    [InlineData("[::1]", true)]
    [InlineData("[fd00::1]:80", true)]
    [InlineData("my_svc.ns", true)]
    [InlineData("a:65536", false)]
    [InlineData("a:0", false)]
    [InlineData("a:", false)]
    [InlineData("a:8a", false)]
    [InlineData(":80", false)]
    [InlineData("", false)]
    [InlineData("[]", false)]
    [InlineData("[::1", false)]
    [InlineData("[g::1]", false)]
    [InlineData("[::1]x", false)]
    [InlineData("a%41", false)]
    [InlineData("a:1:2", false)]
    public void Host_is_a_name_and_perhaps_a_port(string host, bool valid)
    {
        var text = $"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n";
        if (valid)
        {
            Parse(text);
        }
        else
        {
            Refused(text, Http1Error.HostInvalid);
        }
    }

    [Fact]
    public void Fields_that_are_for_this_connection_only_are_marked()
    {
        var bytes = Parse(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Secret, host, content-length, te\r\nx-secret: 1\r\nX-Secret: 2\r\n"
            + "TE: trailers\r\nKeep-Alive: 5\r\nContent-Length: 0\r\nX-Other: 1\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n");
        var kept = _request.Fields.ToArray().Where(field => !field.IsHopByHop).Select(field => Text(field.Name, bytes));
        Assert.Equal(["Host", "Content-Length", "X-Other"], kept);
        Assert.False(_request.IsUpgrade);
    }

    [Fact]
    public void An_upgrade_needs_both_the_option_and_the_field()
    {
        const string Key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n";
        Parse($"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n{Key}\r\n");
        Assert.True(_request.IsUpgrade);
        Parse($"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n{Key}\r\n");
        Assert.False(_request.IsUpgrade);
        Parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n");
        Assert.False(_request.IsUpgrade);
    }

    [Fact]
    public void A_client_that_waits_for_100_is_recognised()
    {
        Parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n");
        Assert.True(_request.ExpectsContinue);
        Parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n");
        Assert.False(_request.ExpectsContinue);
        Parse("POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
        Assert.False(_request.ExpectsContinue);
    }

    [Fact]
    public void Every_known_name_is_recognised_in_any_case_of_letters()
    {
        foreach (var known in Enum.GetValues<KnownHeader>().Where(known => known != KnownHeader.Other))
        {
            var name = string.Concat(known.ToString().Select((c, i) =>
                char.IsUpper(c) && i > 0 ? $"-{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
            Assert.Equal(known, KnownHeaders.Classify(Encoding.ASCII.GetBytes(name)));
            Assert.Equal(known, KnownHeaders.Classify(Encoding.ASCII.GetBytes(name.ToUpperInvariant())));
            Assert.Equal(KnownHeader.Other, KnownHeaders.Classify(Encoding.ASCII.GetBytes($"{name[..^1]}_")));
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", KnownMethod.Get, BodyFraming.UntilClose, false)]
    [InlineData("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", KnownMethod.Get, BodyFraming.Length, true)]
    [InlineData("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", KnownMethod.Get, BodyFraming.None, true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", KnownMethod.Get, BodyFraming.Chunked, true)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", KnownMethod.Head, BodyFraming.None, true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", KnownMethod.Head, BodyFraming.None, true)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", KnownMethod.Get, BodyFraming.None, true)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", KnownMethod.Get, BodyFraming.None, true)]
    [InlineData("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", KnownMethod.Get, BodyFraming.None, false)]
    [InlineData("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", KnownMethod.Get, BodyFraming.None, false)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n", KnownMethod.Post, BodyFraming.None, true)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", KnownMethod.Get, BodyFraming.Tunnel, true)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", KnownMethod.Connect, BodyFraming.Tunnel, true)]
    [InlineData("HTTP/1.1 403 Forbidden\r\nContent-Length: 1\r\n\r\n", KnownMethod.Connect, BodyFraming.Length, true)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", KnownMethod.Get, BodyFraming.Length, false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", KnownMethod.Get, BodyFraming.Length, true)]
    public void A_response_body_ends_as_the_status_and_the_request_say(
        string text, KnownMethod request, BodyFraming framing, bool keepAlive)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        Assert.Equal(ParseStatus.Done, Http1Parser.TryParseResponse(bytes, _response, request, Http1Rules.Default));
        Assert.Equal((framing, keepAlive), (_response.Framing, _response.KeepAlive));
        Assert.Equal(bytes.Length, _response.Length);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", Http1Error.LengthAndTransferEncoding)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", Http1Error.LengthRepeated)]
    [InlineData("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Http1Error.TransferEncodingInHttp10)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Http1Error.TransferEncodingInvalid)]
    [InlineData("HTTP/1.1 99 Low\r\n\r\n", Http1Error.StatusLine)]
    [InlineData("HTTP/1.1 1000 High\r\n\r\n", Http1Error.StatusLine)]
    [InlineData("HTTP/1.1 600 High\r\n\r\n", Http1Error.StatusLine)]
    [InlineData("HTTP/1.1 20x OK\r\n\r\n", Http1Error.StatusLine)]
    [InlineData("HTTP/1.1  200 OK\r\n\r\n", Http1Error.StatusLine)]
    [InlineData("HTTP/1.1 200\tOK\r\n\r\n", Http1Error.StatusLine)]
    [InlineData("HTTP/2.0 200 OK\r\n\r\n", Http1Error.VersionNotSupported)]
    [InlineData("http/1.1 200 OK\r\n\r\n", Http1Error.StatusLine)]
    [InlineData("SSH-2.0-OpenSSH\r\n", Http1Error.StatusLine)]
    [InlineData("\r\nHTTP/1.1 200 OK\r\n\r\n", Http1Error.StatusLine)]
    [InlineData("HTTP/1.1 200 OK\n\n", Http1Error.BareLineFeed)]
    [InlineData("HTTP/1.1 200 O\rK\r\n\r\n", Http1Error.BareCarriageReturn)]
    [InlineData("HTTP/1.1 200 OK\r\nX : y\r\n\r\n", Http1Error.SpaceBeforeColon)]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", Http1Error.Folding)]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", Http1Error.FieldValue)]
    public void A_hostile_response_is_refused(string text, Http1Error error)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        Assert.Equal(ParseStatus.Invalid, Http1Parser.TryParseResponse(bytes, _response, KnownMethod.Get, Http1Rules.Default));
        Assert.Equal(error, _response.Error);
    }

    [Fact]
    public void A_response_shows_status_reason_and_whether_another_follows()
    {
        var bytes = Encoding.ASCII.GetBytes("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
        Assert.Equal(ParseStatus.Done, Http1Parser.TryParseResponse(bytes, _response, KnownMethod.Get, Http1Rules.Default));
        Assert.Equal((103, "Early Hints", true), (_response.Status, Text(_response.Reason, bytes), _response.IsInterim));
    }

    [Fact]
    public void Parsing_allocates_nothing_once_the_tables_have_grown()
    {
        var text = new StringBuilder("GET /a?b=c HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, x-1\r\nContent-Length: 0\r\n");
        for (var i = 0; i < 60; i++)
        {
            text.Append("x-").Append(i).Append(": value\r\n");
        }

        var bytes = Encoding.ASCII.GetBytes(text.Append("\r\n").ToString());
        var answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nDate: x\r\n\r\n"u8.ToArray();
        long before = 0;
        for (var i = 0; i < 1000; i++)
        {
            _request.Reset();
            _response.Reset();
            Assert.True(Http1Parser.TryParseRequest(bytes, _request, Http1Rules.Default) == ParseStatus.Done);
            Assert.True(Http1Parser.TryParseResponse(answer, _response, KnownMethod.Get, Http1Rules.Default) == ParseStatus.Done);
            before = i == 500 ? GC.GetAllocatedBytesForCurrentThread() : before;
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static string Text(TextRange range, ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(range.Of(bytes));

    private byte[] Parse(string text, Http1Rules? rules = null)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        _request.Reset();
        Assert.Equal((ParseStatus.Done, Http1Error.None), (Http1Parser.TryParseRequest(bytes, _request, rules ?? Http1Rules.Default), _request.Error));
        return bytes;
    }

    private void Refused(string text, Http1Error error, Http1Rules? rules = null)
    {
        _request.Reset();
        Assert.Equal(ParseStatus.Invalid, Http1Parser.TryParseRequest(Encoding.Latin1.GetBytes(text), _request, rules ?? Http1Rules.Default));
        Assert.Equal(error, _request.Error);
    }
}
