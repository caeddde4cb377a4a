// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http2;

namespace Weft.Protocols.Tests.Http2;

/// <summary>One end of a connection with a memory of everything it heard, as words.</summary>
internal sealed class Party : IHttp2Events
{
    public Party(Http2Role role, Http2Limits? limits = null, Http2Pool? pool = null) =>
        Connection = new Http2Connection(role, limits ?? Http2Limits.Default, this, pool);

    public Http2Connection Connection { get; }

    public List<string> Heard { get; } = [];

    public Dictionary<int, Http2Stream> Streams { get; } = [];

    /// <summary>Give received bytes back at once.</summary>
    public bool Consumes { get; set; } = true;

    public Action<Http2Stream, bool> Requested { get; set; } = (_, _) => { };

    /// <summary>The request has ended, but not with its head.</summary>
    public Action<Http2Stream> Ended { get; set; } = _ => { };

    public Action<Http2Stream> Writable { get; set; } = _ => { };

    /// <summary>Carries what both ends have written to the other one, in pieces of the given sizes, until both are silent.</summary>
    public static void Exchange(Party one, Party other, Func<int>? pieces = null)
    {
        while (one.Connection.Output.Length + other.Connection.Output.Length > 0)
        {
            Carry(one, other, pieces);
            Carry(other, one, pieces);
        }
    }

    public static void Carry(Party from, Party to, Func<int>? pieces = null)
    {
        while (from.Connection.Output.Length > 0)
        {
            var count = Math.Min(pieces?.Invoke() ?? int.MaxValue, from.Connection.Output.Length);
            var bytes = from.Connection.Output[..count].ToArray();
            from.Connection.Sent(count);
            to.Connection.Receive(bytes, 0);
        }
    }

    public Http2Stream Request(bool endStream, params (string Name, string Value)[] fields)
    {
        var stream = Connection.Open(this)!;
        Head(stream, endStream, [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a"), .. fields]);
        return stream;
    }

    public void Head(Http2Stream stream, bool endStream, params (string Name, string Value)[] fields)
    {
        if (!Connection.BeginHeaders(stream))
        {
            return;
        }

        foreach (var (name, value) in fields)
        {
            Connection.Header(Encoding.Latin1.GetBytes(name), Encoding.Latin1.GetBytes(value));
        }

        Connection.EndHeaders(endStream);
    }

    public void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
        Streams[stream.Id] = stream;
        Heard.Add($"request {stream.Id} {Text(fields.Method)} {Text(fields.Scheme)} {Text(fields.Authority)} {Text(fields.Path)}{Tail(fields, endStream)}");
        Requested(stream, endStream);
    }

    public void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream) =>
        Heard.Add($"response {stream.Id} {fields.Status}{Tail(fields, endStream)}");

    public void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream)
    {
        Heard.Add($"data {stream.Id} {Text(data)}{(endStream ? " end" : "")}");
        if (Consumes)
        {
            Connection.Consume(stream, data.Length);
        }

        if (endStream)
        {
            Ended(stream);
        }
    }

    public void OnTrailers(Http2Stream stream, in Http2Fields fields)
    {
        Heard.Add($"trailers {stream.Id}{Tail(fields, false)}");
        Ended(stream);
    }

    public void OnWritable(Http2Stream stream)
    {
        Heard.Add($"writable {stream.Id}");
        Writable(stream);
    }

    public void OnReset(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by) => Heard.Add($"reset {stream.Id} {code} {by}");

    public void OnClosed(Http2Stream stream) => Heard.Add($"closed {stream.Id}");

    public void OnSettings()
    {
    }

    public void OnGoAway(Http2ErrorCode code, ReadOnlySpan<byte> text) => Heard.Add($"goaway {code} {Text(text)}".TrimEnd());

    public void OnPong(ulong payload) => Heard.Add($"pong {payload}");

    private static string Tail(in Http2Fields fields, bool endStream)
    {
        var words = new StringBuilder();
        foreach (var field in fields.Entries)
        {
            words.Append(' ').Append(Text(field.Name.Of(fields.Bytes))).Append('=').Append(Text(field.Value.Of(fields.Bytes)));
        }

        var lines = Text(fields.Lines);
        var expected = new StringBuilder();
        foreach (var field in fields.Entries)
        {
            expected.Append(Text(field.Name.Of(fields.Bytes))).Append(": ").Append(Text(field.Value.Of(fields.Bytes))).Append("\r\n");
        }

        Xunit.Assert.Equal(expected.ToString(), lines);
        return words.Append(endStream ? " end" : "").ToString();
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
