// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using Weft.Model.Plan;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Compression;

/// <summary>
/// Compresses one answer's body on its way to the client. The runtime's compressors cannot begin anew, so each answer makes one; that is the
/// only part of a request that makes objects, and only where an operator asks for it.
/// </summary>
internal sealed class BodyCompressor : Stream
{
    /// <summary>At once on a loop; above it answers go as they are. One takes about 256 KiB.</summary>
    internal const int Limit = 256;

    private Stream? _compressor;
    private DownstreamStream? _client;

    /// <summary>Bytes that the client is sent.</summary>
    internal long Sent { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    internal void Open(DownstreamStream client, CompressorPlan plan)
    {
        _client = client;
        Sent = 0;
        _compressor = plan.Coding == ContentCoding.Gzip
            ? new GZipStream(this, new ZLibCompressionOptions { CompressionLevel = plan.Level == 0 ? -1 : plan.Level }, leaveOpen: true)
            : new BrotliStream(this, new BrotliCompressionOptions { Quality = plan.Level == 0 ? 3 : plan.Level }, leaveOpen: true);
    }

    internal void Compress(ReadOnlySpan<byte> payload) => _compressor!.Write(payload);

    /// <summary>Lets the client have all that came so far: a stream of events must not wait for its next one.</summary>
    internal void Release() => _compressor!.Flush();

    /// <summary>Writes what is left.</summary>
    internal void End()
    {
        _compressor?.Dispose();
        _compressor = null;
    }

    /// <summary>The answer is over, perhaps before its end: nothing more is written.</summary>
    internal void Drop()
    {
        _client = null;
        End();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_client is { } client && !buffer.IsEmpty)
        {
            Sent += buffer.Length;
            client.WriteBody(buffer);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // The exchange flushes when all pieces that came together are written.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
