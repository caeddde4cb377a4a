// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weft.Proxy.Tests;

/// <summary>A server on the loopback whose every connection is played by the test's own code, on a thread of its own.</summary>
internal sealed class TestOrigin : IDisposable
{
    private readonly TcpListener _listener;
    private readonly Action<Peer> _play;
    private int _connections;

    internal TestOrigin(Action<Peer> play, IPAddress? address = null, int port = 0)
    {
        _play = play;
        _listener = new TcpListener(address ?? IPAddress.Loopback, port);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        new Thread(Accept) { IsBackground = true }.Start();
    }

    internal int Port { get; }

    internal int Connections => Volatile.Read(ref _connections);

    /// <summary>Answers every request with what the function makes of its head (and body, where it has a length).</summary>
    internal static TestOrigin Answering(Func<string, string> answer) => new(peer =>
    {
        while (peer.ReadRequest() is { } request)
        {
            peer.Write(answer(request));
        }
    });

    internal static TestOrigin Ok(string body) => Answering(_ => Response(body));

    internal static string Response(string body, int status = 200) =>
        $"HTTP/1.1 {status} Whatever\r\ncontent-length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    public void Dispose() => _listener.Stop();

    private void Accept()
    {
        try
        {
            while (true)
            {
                var socket = _listener.AcceptSocket();
                Interlocked.Increment(ref _connections);
                new Thread(() => Serve(socket)) { IsBackground = true }.Start();
            }
        }
        catch (Exception stopped) when (stopped is SocketException or InvalidOperationException)
        {
            // The listener was stopped.
        }
    }

    private void Serve(Socket socket)
    {
        using var peer = new Peer(socket);
        try
        {
            _play(peer);
        }
        catch (Exception gone) when (gone is IOException or SocketException or ObjectDisposedException)
        {
            // The proxy closed; tests look at the other side.
        }
    }
}

/// <summary>One end of a plain connection, blocking, with a time limit.</summary>
internal sealed class Peer : IDisposable
{
    private const int TimeLimitMs = 10_000;

    private readonly Stream _stream;
    private readonly Socket _socket;

    internal Peer(Socket socket)
    {
        _socket = socket;
        socket.NoDelay = true;
        socket.ReceiveTimeout = TimeLimitMs;
        socket.SendTimeout = TimeLimitMs;
        _stream = new NetworkStream(socket, ownsSocket: true);
    }

    internal static Peer Connect(int port)
    {
        return Connect(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), "127.0.0.1", port);
    }

    internal static Peer Connect(Socket socket, string address, int port)
    {
        socket.Connect(IPAddress.Parse(address), port);
        return new Peer(socket);
    }

    internal Socket Socket => _socket;

    public void Dispose() => _stream.Dispose();

    internal void Write(string text) => _stream.Write(Encoding.Latin1.GetBytes(text));

    internal void Write(ReadOnlySpan<byte> bytes) => _stream.Write(bytes);

    internal void EndOutput() => _socket.Shutdown(SocketShutdown.Send);

    internal void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    /// <summary>Exactly so many bytes, or fewer at the end of the stream.</summary>
    internal string Read(int count)
    {
        var bytes = new byte[count];
        var length = _stream.ReadAtLeast(bytes, count, throwOnEndOfStream: false);
        return Encoding.Latin1.GetString(bytes, 0, length);
    }

    internal string ReadToEnd()
    {
        using var all = new MemoryStream();
        try
        {
            _stream.CopyTo(all);
        }
        catch (IOException) when (all.Length > 0)
        {
            // A reset behind the bytes: what came is what the test looks at.
        }

        return Encoding.Latin1.GetString(all.ToArray());
    }

    /// <summary>Up to the end of the stream; a reset behind the bytes is one, too.</summary>
    internal void ReadToTheVeryEnd()
    {
        while (_stream.ReadByte() >= 0)
        {
            // Only how it ends is of interest.
        }
    }

    /// <summary>Up to and with the empty line; null at the end of the stream.</summary>
    internal string? ReadHead()
    {
        var text = new StringBuilder();
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            var next = _stream.ReadByte();
            if (next < 0)
            {
                return text.Length == 0 ? null : throw new EndOfStreamException($"only: {text}");
            }

            text.Append((char)next);
        }

        return text.ToString();
    }

    /// <summary>A head and the body that its content-length announces.</summary>
    internal string? ReadRequest() => ReadMessage();

    internal string? ReadMessage()
    {
        var head = ReadHead();
        if (head is null)
        {
            return null;
        }

        var length = Header(head, "content-length");
        return length is null ? head : head + Read(int.Parse(length, System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>A chunked body's payload.</summary>
    internal string ReadChunks() => ReadChunks(out _);

    internal string ReadChunks(out string trailers)
    {
        var all = new StringBuilder();
        while (true)
        {
            var size = Convert.ToInt32(ReadLine(), 16);
            if (size == 0)
            {
                trailers = "";
                while (ReadLine() is { Length: > 0 } line)
                {
                    trailers += line + "\r\n";
                }

                return all.ToString();
            }

            all.Append(Read(size));
            ReadLine();
        }
    }

    private string ReadLine()
    {
        var line = new StringBuilder();
        while (line.Length < 2 || line[^1] != '\n')
        {
            line.Append(Read(1) is { Length: 1 } next ? next : throw new EndOfStreamException($"only: {line}"));
        }

        return line.ToString(0, line.Length - 2);
    }

    internal static string? Header(string head, string name)
    {
        foreach (var line in head.Split("\r\n"))
        {
            if (line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
            {
                return line[(name.Length + 1)..].Trim();
            }
        }

        return null;
    }
}
