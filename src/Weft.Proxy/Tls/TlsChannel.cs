// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Weft.Proxy.Io;

namespace Weft.Proxy.Tls;

/// <summary>
/// TLS over another channel, both sides. Handshakes pass libssl through a BIO on the loop's <see cref="TlsEngine"/>; the owner sees
/// plain bytes only after the handshake is done and the peer's identity is accepted. From then on TLS 1.3 is <see cref="TlsRecords"/>
/// and libssl's session is gone; with TLS 1.2 it stays.
/// </summary>
internal sealed unsafe partial class TlsChannel : ByteChannel, IByteHandler
{
    private readonly TlsEngine _engine;
    private readonly TlsContext _context;
    private readonly ByteChannel _inner;
    private nint _ssl;
    private TlsRecords? _records;
    private TlsSecrets* _secrets;
    private NativeBuffer _early;
    private bool _begun;
    private bool _established;
    private bool _isDead;
    private bool _endSeen;
    private bool _innerEnded;
    private bool _isCutOff;
    private PeerIdentity? _peer;

    internal TlsChannel(TlsEngine engine, TlsContext context, ByteChannel inner, IByteHandler handler)
    {
        _engine = engine;
        _context = context;
        _inner = inner;
        Handler = handler;
        context.Hold();
        inner.Handler = this;
    }

    /// <summary>Known once the handshake is done; null without a certificate.</summary>
    internal override PeerIdentity? Peer => _peer;

    internal TlsContext Context => _context;

    /// <summary>The peer's certificate is not of the mesh: the operator's own roots signed it.</summary>
    internal bool IsFromOutside => _context.Rule is not null;

    /// <summary>The protocol agreed upon; empty for none.</summary>
    internal string Alpn { get; private set; } = "";

    internal override IpEndpoint LocalAddress => _inner.LocalAddress;

    /// <summary>Waits for its turn in the engine's queue of handshakes.</summary>
    internal bool IsQueued { get; set; }

    internal override int Unsent => _inner.Unsent + (_established ? 0 : _early.Length);

    // Proxies of the mesh always say goodbye; servers outside it often do not.
    internal override bool IsTruncated => _isCutOff && _context.VerifiesIdentity;

    internal override bool IsOpen => IsAlive && _inner.IsOpen;

    /// <summary>Null while libssl's session serves: during the handshake, and with TLS 1.2.</summary>
    internal TlsRecords? Records => _records;

    internal bool IsAlive => !_isDead;

    /// <summary>Begins; a server passes what the client has sent so far.</summary>
    internal void Start(ReadOnlySpan<byte> received)
    {
        if (_context.IsServer)
        {
            OnHandshakeInput(received);
        }
        else if (_engine.MayBegin(this, _context))
        {
            Handshake([]);
        }
    }

    public void OnConnected()
    {
        if (!_context.IsServer)
        {
            Start([]);
        }
    }

    public void OnData(Span<byte> data)
    {
        if (_records is not null)
        {
            ReadRecords(data);
        }
        else if (_established)
        {
            ReadAll(data);
        }
        else
        {
            OnHandshakeInput(data);
        }
    }

    public void OnEndOfStream()
    {
        _innerEnded = true;
        if (!_established)
        {
            Fail("the peer closed the connection during the TLS handshake");
        }
        else if (!_endSeen)
        {
            _endSeen = true;
            _isCutOff = true;
            Handler?.OnEndOfStream();
        }
    }

    public void OnDrained() => Handler?.OnDrained();

    public void OnFailed(ChannelError error)
    {
        var handler = Handler;
        Free();
        handler?.OnFailed(error);
    }

    internal override void Write(ReadOnlySpan<byte> bytes, bool more = false)
    {
        if (!IsAlive)
        {
            return;
        }

        if (!_established)
        {
            _early.Append(bytes);
            return;
        }

        if (_records is null ? !_engine.Encrypt(_ssl, bytes) : !Seal(bytes))
        {
            // The session is beyond repair: the peer answers the end of the stream with its own, which the owner hears. What is half made
            // must not stay for the loop's next connection.
            LibSsl.ClearErrors();
            _engine.ClearOutput();
            _inner.ShutdownWrite();
            return;
        }

        _inner.Write(_engine.Output, more);
        _engine.ClearOutput();
    }

    internal override void PauseReading() => _inner.PauseReading();

    internal override void ResumeReading() => _inner.ResumeReading();

    internal override void ShutdownWrite()
    {
        if (IsAlive)
        {
            SendCloseNotify();
            _inner.ShutdownWrite();
        }
    }

    internal override void Close()
    {
        if (!IsAlive)
        {
            return;
        }

        SendCloseNotify();
        Free();
        _inner.Close();
    }

    internal override void Abort()
    {
        Free();
        _inner.Abort();
    }

    /// <summary>Its turn among the loop's handshakes has come.</summary>
    internal void ContinueHandshake()
    {
        if (!IsAlive)
        {
            return;
        }

        if (!_context.IsServer)
        {
            Handshake([]);
            return;
        }

        var held = _early;
        _early = default;
        _inner.ResumeReading();
        Handshake(held.Bytes);
        held.Free();
    }

    private void OnHandshakeInput(ReadOnlySpan<byte> data)
    {
        if (_context.IsServer && !_begun && (IsQueued || !_engine.MayHandshake(_context)))
        {
            // A burst of handshakes is spread over ticks, so that established connections keep their latency; those that have begun go first,
            // because each holds memory until it ends. A server has nothing of its own to write yet, so the buffer is free to hold input.
            _early.Append(data);
            _inner.PauseReading();
            if (!IsQueued)
            {
                Enqueue();
            }

            return;
        }

        Handshake(data);
    }

    private void Enqueue()
    {
        IsQueued = _engine.Enqueue(this);
        if (!IsQueued)
        {
            Fail($"more than {TlsEngine.HandshakeQueueLimit} TLS handshakes wait for their turn");
        }
    }

    private void Handshake(ReadOnlySpan<byte> data)
    {
        if (!_begun && !Begin())
        {
            return;
        }

        fixed (byte* start = data)
        {
            _engine.SetInput(start, data.Length, _secrets is null ? _secrets = TlsSecrets.New() : _secrets);
            var result = LibSsl.DoHandshake(_ssl);
            var rest = _engine.TakeInput();
            FlushOutput();
            if (result != 1)
            {
                if (LibSsl.GetError(_ssl, result) != LibSsl.ErrorWantRead)
                {
                    Fail(DescribeFailure());
                }

                return;
            }

            if (!AcceptPeer())
            {
                return;
            }

            _established = true;
            _engine.EndHandshake(_context);
            LetSessionGo();
            OnEstablished();
            var left = new Span<byte>(start + data.Length - rest, rest);
            if (_records is not null)
            {
                ReadRecords(left);
            }
            else if (_ssl != 0)
            {
                // Also where nothing is left: only a read that finds nothing makes libssl give its 16 KiB buffer back.
                ReadAll(left);
            }
        }
    }

    /// <summary>Makes libssl's session, which is needed as long as the handshake takes.</summary>
    private bool Begin()
    {
        try
        {
            _ssl = _engine.NewSession(_context);
        }
        catch (TlsException problem)
        {
            Fail(problem.Message);
            return false;
        }

        _begun = true;
        _context.Release();
        _context.BeginHandshake(_engine.Now);
        return true;
    }

    /// <summary>Takes what is needed of libssl's session, and of one with TLS 1.3 the records as well, which ends it.</summary>
    private void LetSessionGo()
    {
        byte* alpn;
        uint length;
        LibSsl.SelectedAlpn(_ssl, &alpn, &length);
        Alpn = length == 0 ? "" : TlsEngine.Intern(new ReadOnlySpan<byte>(alpn, (int)length));
        if (LibSsl.Version(_ssl) == LibSsl.Tls13 && TlsSuite.Find(LibSsl.SuiteId(LibSsl.CurrentSuite(_ssl))) is { } suite)
        {
            _records = _secrets->Records(suite, _context.IsServer);
        }

        TlsSecrets.Free(_secrets);
        _secrets = null;
        if (_records is not null)
        {
            LibSsl.Free(_ssl);
            _ssl = 0;
        }
        else
        {
            // During the handshake it must take no more than its own records; from now on a whole read is cheaper than two.
            LibSsl.SetReadAhead(_ssl, 1);
        }
    }

    private void OnEstablished()
    {
        if (!_early.IsEmpty)
        {
            var early = _early;
            _early = default;
            Write(early.Bytes);
            early.Free();
        }

        Handler?.OnConnected();
    }

    private bool AcceptPeer()
    {
        var certificate = LibSsl.PeerCertificate(_ssl);
        if (certificate != 0)
        {
            _peer = _engine.Peers.Identify(certificate, _context.Rule is not null);
            LibSsl.CertificateFree(certificate);
        }

        var problem = TlsEngine.Judge(_context, _peer);
        if (problem is null)
        {
            return true;
        }

        Fail(problem);
        return false;
    }

    private string DescribeFailure()
    {
        var verify = LibSsl.VerifyResult(_ssl);
        var text = LibSsl.TakeError();
        return verify == 0
            ? text
            : $"certificate not accepted: {Marshal.PtrToStringUTF8(LibSsl.VerifyErrorText(verify))}";
    }

    private void SendCloseNotify()
    {
        if (_records is not null)
        {
            SendAlert(AlertClose);
        }
        else if (_established && _ssl != 0)
        {
            _ = LibSsl.Shutdown(_ssl);
            LibSsl.ClearErrors();
            FlushOutput();
        }
    }

    private void FlushOutput()
    {
        if (!_engine.Output.IsEmpty)
        {
            _inner.Write(_engine.Output);
            _engine.ClearOutput();
        }
    }

    private void Fail(string problem)
    {
        var handler = Handler;
        Free();
        if (_innerEnded)
        {
            _inner.Abort();
        }
        else
        {
            // The alert that says why is on its way.
            _inner.Close();
        }

        handler?.OnFailed(new ChannelError(0, problem));
    }

    private void Free()
    {
        Handler = null;
        if (!_isDead)
        {
            _isDead = true;
            LeaveContext();
        }

        TlsSecrets.Free(_secrets);
        _secrets = null;
        _early.Free();
        _records?.Dispose();
        _records = null;
        if (_ssl != 0)
        {
            LibSsl.Free(_ssl);
            _ssl = 0;
        }
    }

    private void LeaveContext()
    {
        if (!_begun)
        {
            _context.Release();
        }
        else if (!_established)
        {
            _engine.EndHandshake(_context);
        }
    }
}
