// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Tls;

/// <summary>The connection behind a handshake of TLS 1.2, which libssl's session goes on serving.</summary>
internal sealed unsafe partial class TlsChannel
{
    private void ReadAll(Span<byte> cipher)
    {
        fixed (byte* start = cipher)
        {
            var left = cipher.Length;
            while (_ssl != 0 && !_endSeen)
            {
                _engine.SetInput(start + cipher.Length - left, left);
                var count = _engine.Decrypt(_ssl, out var result);
                left = _engine.TakeInput();

                // Reading may answer (a renegotiation is refused), and the owner may write to others of the loop.
                var answers = !_engine.Output.IsEmpty;
                FlushOutput();
                if (answers && _inner.Unsent > HighWater)
                {
                    Fail("the peer makes TLS answer and does not read");
                    return;
                }

                if (count > 0)
                {
                    Handler?.OnData(_engine.Plain[..count]);
                }

                if (_ssl == 0 || _endSeen)
                {
                    return;
                }

                if (result <= 0 && !OnReadStopped(result))
                {
                    return;
                }

                if (result > 0 && left == 0 && LibSsl.HasPending(_ssl) == 0)
                {
                    return;
                }
            }
        }
    }

    /// <summary>True to read on.</summary>
    private bool OnReadStopped(int result)
    {
        switch (LibSsl.GetError(_ssl, result))
        {
            case LibSsl.ErrorWantRead:
                return false;
            case LibSsl.ErrorZeroReturn:
                _endSeen = true;
                Handler?.OnEndOfStream();
                return false;
            default:
                Fail(LibSsl.TakeError());
                return false;
        }
    }
}
