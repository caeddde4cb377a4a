// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Protocols.Http2;

namespace Weft.Proxy.Tests.Http2;

/// <summary>One end of an HTTP/2 connection over a plain socket, blocking, with a time limit; either role.</summary>
internal sealed class Http2Peer : IHttp2Events, IDisposable
{
    private const int TimeLimitMs = 10_000;

    private readonly Socket _socket;
    private readonly byte[] _input = new byte[64 * 1024];

    internal Http2Peer(Socket socket, Http2Role role, Http2Limits? limits = null)
    {
        _socket = socket;
        socket.NoDelay = true;
        socket.ReceiveTimeout = TimeLimitMs;
        socket.SendTimeout = TimeLimitMs;
        Codec = new Http2Connection(role, limits ?? new Http2Limits { AllowExtendedConnect = true }, this);
        Flush();
    }

    internal Http2Connection Codec { get; }

    internal Socket Socket => _socket;

    /// <summary>False keeps the windows closed once they are used up.</summary>
    internal bool Consumes { get; set; } = true;

    /// <summary>Requests of a server's peer in the order they came, all exchanges of a client.</summary>
    internal List<Http2Message> Messages { get; } = [];

    internal bool GoAway { get; private set; }

    internal int Pongs { get; private set; }

    internal static Http2Peer Connect(int port, Http2Limits? limits = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, port);
        return new Http2Peer(socket, Http2Role.Client, limits);
    }

    /// <summary>A server whose every connection is played by the test's own code.</summary>
    internal static TestOrigin Origin(Action<Http2Peer> play, Http2Limits? limits = null) =>
        new(peer => play(new Http2Peer(peer.Socket, Http2Role.Server, limits)));

    /// <summary>A server that answers every complete request.</summary>
    internal static TestOrigin Answering(Action<Http2Peer, Http2Message> answer) => Origin(peer =>
    {
        var answered = 0;
        while (peer.TryWait(() => peer.Messages.Count > answered && peer.Messages[answered].Ended))
        {
            answer(peer, peer.Messages[answered++]);
            if (answered == peer.Messages.Count)
            {
                // A long test shall not keep them all.
                peer.Messages.Clear();
                answered = 0;
            }
        }
    });

    public void Dispose() => _socket.Dispose();

    /// <summary>Sends a request's head; fields are <c>name: value</c>, pseudo-headers first.</summary>
    internal Http2Message Ask(bool end, params string[] fields)
    {
        var stream = Codec.Open(null)!;
        var message = new Http2Message(stream);
        stream.Owner = message;
        Messages.Add(message);
        SendHead(message, end, fields);
        return message;
    }

    internal Http2Message Get(string path, params string[] fields) =>
        Ask(end: true, [":method: GET", ":scheme: http", ":path: " + path, ":authority: shop", .. fields]);

    internal Http2Message Post(string path, params string[] fields) =>
        Ask(end: false, [":method: POST", ":scheme: http", ":path: " + path, ":authority: shop", .. fields]);

    /// <summary>Sends a head, or trailers where there was one before.</summary>
    internal void SendHead(Http2Message message, bool end, params string[] fields)
    {
        if (!Codec.BeginHeaders(message.Stream))
        {
            throw new IOException("the stream is over");
        }

        foreach (var field in fields)
        {
            var colon = field.IndexOf(':', 1);
            Codec.Header(Encoding.Latin1.GetBytes(field[..colon]), Encoding.Latin1.GetBytes(field[(colon + 1)..].Trim()));
        }

        Codec.EndHeaders(end);
        Flush();
    }

    /// <summary>Sends all of it, waiting for windows.</summary>
    internal void Send(Http2Message message, string data, bool end)
    {
        var bytes = Encoding.Latin1.GetBytes(data);
        var at = Codec.SendData(message.Stream, bytes, end);
        Flush();
        while (at < bytes.Length)
        {
            Wait(() => Codec.Writable(message.Stream) > 0);
            at += Codec.SendData(message.Stream, bytes.AsSpan(at), end);
            Flush();
        }
    }

    internal void Answer(Http2Message message, string body, params string[] fields)
    {
        SendHead(message, end: false, [":status: 200", .. fields]);
        Send(message, body, end: true);
    }

    internal void Reset(Http2Message message, Http2ErrorCode code)
    {
        Codec.Reset(message.Stream, code);
        Flush();
    }

    internal void Wait(Func<bool> until)
    {
        if (!TryWait(until))
        {
            throw new EndOfStreamException($"the peer closed; {Codec.Failure?.Text}");
        }
    }

    internal void Wait(Http2Message message) => Wait(() => message.Ended || message.Reset is not null);

    /// <summary>False if the connection ended before.</summary>
    internal bool TryWait(Func<bool> until)
    {
        while (!until())
        {
            if (!Pump())
            {
                return false;
            }
        }

        return true;
    }

    internal void Flush()
    {
        while (!Codec.Output.IsEmpty)
        {
            Codec.Sent(_socket.Send(Codec.Output));
        }
    }

    public void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
        var message = new Http2Message(stream) { Ended = endStream };
        stream.Owner = message;
        message.Head[":method"] = Text(fields.Method);
        message.Head[":scheme"] = Text(fields.Scheme);
        message.Head[":path"] = Text(fields.Path);
        message.Head[":authority"] = Text(fields.Authority);
        message.Head[":protocol"] = Text(fields.Protocol);
        Http2Message.Take(fields, message.Head);
        Messages.Add(message);
    }

    public void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
        var message = (Http2Message)stream.Owner!;
        if (fields.Status < 200)
        {
            message.Interim.Add(fields.Status);
            return;
        }

        message.Status = fields.Status;
        Http2Message.Take(fields, message.Head);
        message.Ended = endStream;
    }

    public void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream)
    {
        var message = (Http2Message)stream.Owner!;
        message.Body.Append(Text(data));
        message.Ended = endStream;
        if (Consumes)
        {
            Codec.Consume(stream, data.Length);
        }
    }

    public void OnTrailers(Http2Stream stream, in Http2Fields fields)
    {
        var message = (Http2Message)stream.Owner!;
        Http2Message.Take(fields, message.Trailers);
        message.Ended = true;
    }

    public void OnReset(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by) => ((Http2Message)stream.Owner!).Reset = code;

    public void OnWritable(Http2Stream stream)
    {
    }

    public void OnClosed(Http2Stream stream)
    {
    }

    public void OnSettings()
    {
    }

    public void OnGoAway(Http2ErrorCode code, ReadOnlySpan<byte> text) => GoAway = true;

    public void OnPong(ulong payload) => Pongs++;

    private bool Pump()
    {
        Flush();
        int count;
        try
        {
            count = _socket.Receive(_input);
        }
        catch (SocketException gone) when (gone.SocketErrorCode == SocketError.ConnectionReset)
        {
            count = 0;
        }
        catch (SocketException late) when (late.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            throw new IOException("nothing came in time", late);
        }

        if (count == 0)
        {
            return false;
        }

        Codec.Receive(_input.AsSpan(0, count), Environment.TickCount64);
        if (Codec.Failure is { } failure)
        {
            throw new IOException(failure.Text);
        }

        Flush();
        return true;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}

/// <summary>What a peer has received on one stream.</summary>
internal sealed class Http2Message(Http2Stream stream)
{
    internal Http2Stream Stream { get; } = stream;

    internal Dictionary<string, string> Head { get; } = [];

    internal Dictionary<string, string> Trailers { get; } = [];

    internal StringBuilder Body { get; } = new();

    internal List<int> Interim { get; } = [];

    internal int Status { get; set; }

    internal bool Ended { get; set; }

    internal Http2ErrorCode? Reset { get; set; }

    internal static void Take(in Http2Fields fields, Dictionary<string, string> into)
    {
        foreach (var line in Encoding.Latin1.GetString(fields.Lines).Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            into[line[..colon]] = line[(colon + 2)..];
        }
    }
}
