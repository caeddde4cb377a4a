// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Tls;
using Xunit;

namespace Weft.Proxy.Tests.Tls;

/// <summary>A server's channel in memory, and a client whose records a test makes itself once libssl has made the keys.</summary>
internal sealed unsafe class TlsScene : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly EventLoop _loop;
    private readonly bool _isBeside;
    private readonly TlsEngine _engine;
    private readonly TlsEngine _clientEngine;
    private readonly TlsContext _server;
    private readonly TlsContext _client;
    private readonly TlsSecrets* _secrets = TlsSecrets.New();
    private readonly byte[] _plain = new byte[TlsRecords.LongestSealed];

    /// <param name="beside">Whose engine the server's channel shares; its own without.</param>
    internal TlsScene(TlsScene? beside = null)
    {
        _loop = LoopFactory.Create(IoChoice.Epoll, new LoopSettings(TimeProvider.System, 0), out _);
        _isBeside = beside is not null;
        _engine = beside?._engine ?? new TlsEngine(_loop);
        _clientEngine = new TlsEngine(_loop);
        var (chain, key) = _authority.Issue("spiffe://cluster.local/ns/a/sa/b");
        _server = TlsContext.ForServer(new DownstreamTlsPlan(false, [], []), TlsMaterial.Parse(chain, key, _authority.RootPem));
        _client = TlsContext.ForSimpleClient(new UpstreamTlsPlan(UpstreamTlsMode.Simple, "", [], [], "", InsecureSkipVerify: true), CredentialSet.None);
        (Channel, Client) = Meet();
    }

    internal TlsChannel Channel { get; private set; }

    internal MemoryChannel Wire { get; private set; } = new();

    internal HeardEvents Heard { get; private set; } = new();

    /// <summary>The client's side of the records.</summary>
    internal TlsRecords Client { get; private set; }

    /// <summary>What the loop's channels share.</summary>
    internal TlsEngine Engine => _engine;

    /// <summary>Ends the connection and makes another.</summary>
    internal void MeetAgain()
    {
        Channel.Abort();
        Client.Dispose();
        (Wire, Heard) = (new MemoryChannel(), new HeardEvents());
        (Channel, Client) = Meet();
    }

    /// <summary>The client's record with this content.</summary>
    internal byte[] Sealed(RecordType type, params byte[] content)
    {
        var record = new byte[content.Length + TlsRecords.Overhead];
        fixed (byte* start = record)
        {
            Assert.Equal(record.Length, Client.Seal(type, content, start));
        }

        return record;
    }

    internal byte[] Text(string text) => Sealed(RecordType.Data, Encoding.ASCII.GetBytes(text));

    /// <summary>What the next record that the server has written holds, in hex.</summary>
    internal (RecordType Type, string Content) NextAnswer()
    {
        var record = Wire.Take(TlsRecords.LengthOf(Wire.Written.ToArray()));
        fixed (byte* plain = _plain)
        {
            var length = Client.Open(record, plain, out var type);
            Assert.True(length >= 0);
            return (type, Convert.ToHexString(_plain, 0, length));
        }
    }

    public void Dispose()
    {
        Channel.Abort();
        Client.Dispose();
        TlsSecrets.Free(_secrets);
        _server.Dispose();
        _client.Dispose();
        if (!_isBeside)
        {
            _engine.Dispose();
        }

        _clientEngine.Dispose();
        _loop.Dispose();
        _authority.Dispose();
    }

    private (TlsChannel Channel, TlsRecords Client) Meet()
    {
        var channel = new TlsChannel(_engine, _server, Wire, Heard);
        var ssl = _clientEngine.NewSession(_client);
        channel.Start(Step(ssl, []));
        for (var i = 0; i < 1000 && Wire.Written.Count == 0; i++)
        {
            // Only so many begin in one tick.
            _loop.Tick(1);
        }

        while (Wire.Written.Count > 0)
        {
            var answer = Step(ssl, Wire.Take(Wire.Written.Count));
            if (answer.Length > 0)
            {
                channel.OnData(answer);
            }
        }

        var suite = TlsSuite.Find(LibSsl.SuiteId(LibSsl.CurrentSuite(ssl)))!;
        LibSsl.Free(ssl);
        Assert.Equal(1, Heard.Connected);
        return (channel, _secrets->Records(suite, isServer: false)!);
    }

    private byte[] Step(nint ssl, byte[] input)
    {
        fixed (byte* start = input)
        {
            _clientEngine.SetInput(start, input.Length, _secrets);
            _ = LibSsl.DoHandshake(ssl);
            Assert.Equal(0, _clientEngine.TakeInput());
        }

        var output = _clientEngine.Output.ToArray();
        _clientEngine.ClearOutput();
        return output;
    }
}

/// <summary>A channel whose output a test takes.</summary>
internal sealed class MemoryChannel : ByteChannel
{
    internal List<byte> Written { get; } = [];

    internal bool IsEnded { get; private set; }

    /// <summary>As if the peer read nothing.</summary>
    internal int Stuck { get; set; }

    internal override int Unsent => Stuck;

    internal override bool IsOpen => !IsEnded;

    internal override IpEndpoint LocalAddress => default;

    internal byte[] Take(int count)
    {
        var taken = Written.GetRange(0, count).ToArray();
        Written.RemoveRange(0, count);
        return taken;
    }

    internal override void Write(ReadOnlySpan<byte> bytes, bool more = false) => Written.AddRange(bytes);

    internal override void PauseReading()
    {
        // Nothing comes by itself.
    }

    internal override void ResumeReading()
    {
        // Nothing comes by itself.
    }

    internal override void ShutdownWrite() => IsEnded = true;

    internal override void Close() => IsEnded = true;

    internal override void Abort() => IsEnded = true;
}

/// <summary>What a channel's owner hears.</summary>
internal sealed class HeardEvents : IByteHandler
{
    internal int Connected { get; private set; }

    internal StringBuilder Text { get; } = new();

    /// <summary>What the owner does when data has come.</summary>
    internal Action? Then { get; set; }

    internal bool Ended { get; private set; }

    internal string? Failure { get; private set; }

    public void OnConnected() => Connected++;

    public void OnData(Span<byte> data)
    {
        Text.Append(Encoding.ASCII.GetString(data));
        Then?.Invoke();
    }

    public void OnEndOfStream() => Ended = true;

    public void OnDrained()
    {
        // Nothing was kept.
    }

    public void OnFailed(ChannelError error) => Failure = error.Tls;
}
