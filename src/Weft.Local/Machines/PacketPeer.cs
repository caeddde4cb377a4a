// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Weft.Local.Machines;

/// <summary>
/// The other end of a stream of packets: two bytes of length, then the packet; a length of zero says that the other side is alive. Packets that
/// come from addresses which are not the peer's are dropped.
/// </summary>
internal sealed class PacketPeer
{
    /// <summary>Packets that wait for the stream; what comes when it is full is lost, as on any wire.</summary>
    public const int MaxWaiting = 512;

    /// <summary>Silence after which the other side counts as gone.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    private const int HeadBytes = 2;
    private const int BufferBytes = 64 * 1024;

    private static readonly TimeSpan _beat = TimeSpan.FromSeconds(5);

    private readonly (UInt128 Network, UInt128 Mask)[] _ranges;
    private readonly Channel<byte[]> _waiting = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <param name="ranges">The addresses behind it.</param>
    public PacketPeer(params IReadOnlyList<IPNetwork> ranges) => _ranges = [.. ranges.Select(range =>
    {
        var bits = range.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? range.PrefixLength + 96 : range.PrefixLength;
        var network = BinaryPrimitives.ReadUInt128BigEndian(range.BaseAddress.MapToIPv6().GetAddressBytes());
        return (network, bits == 0 ? 0 : UInt128.MaxValue << (128 - bits));
    })];

    /// <summary>The address that a packet goes to, one of version 4 in its mapped form; null for anything else.</summary>
    public static UInt128? Destination(ReadOnlySpan<byte> packet) => Address(packet, 16, 24);

    public bool Has(UInt128 address) => Array.Exists(_ranges, range => (address & range.Mask) == range.Network);

    /// <summary>Takes a copy of the packet, or loses it.</summary>
    public void Send(ReadOnlySpan<byte> packet)
    {
        var framed = new byte[HeadBytes + packet.Length];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)packet.Length);
        packet.CopyTo(framed.AsSpan(HeadBytes));
        _waiting.Writer.TryWrite(framed);
    }

    /// <summary>Carries packets until the stream ends, breaks, or is silent for too long.</summary>
    public async Task RunAsync(Stream stream, Action<ReadOnlyMemory<byte>> arrived, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var sending = WriteAsync(stream, ending.Token);
        try
        {
            await ReadAsync(stream, arrived, ct);
        }
        finally
        {
            await ending.CancelAsync();
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static UInt128? Address(ReadOnlySpan<byte> packet, int at4, int at6) => packet switch
    {
        { Length: >= 20 } when packet[0] >> 4 == 4 => new UInt128(0, 0xFFFF_0000_0000UL | BinaryPrimitives.ReadUInt32BigEndian(packet[at4..])),
        { Length: >= 40 } when packet[0] >> 4 == 6 && BinaryPrimitives.ReadUInt128BigEndian(packet[at6..]) is var address && address >> 32 != 0xFFFF => address,

        // A mapped address has no business on a wire.
        _ => null,
    };

    private async Task WriteAsync(Stream stream, CancellationToken ct)
    {
        using var batch = new MemoryStream(BufferBytes);
        var reader = _waiting.Reader;
        while (true)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(_beat);
            try
            {
                await reader.WaitToReadAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                await stream.WriteAsync(new byte[HeadBytes], ct);
                continue;
            }

            batch.SetLength(0);
            while (batch.Length < BufferBytes && reader.TryRead(out var packet))
            {
                batch.Write(packet);
            }

            await stream.WriteAsync(batch.GetBuffer().AsMemory(0, (int)batch.Length), ct);
        }
    }

    private async Task ReadAsync(Stream stream, Action<ReadOnlyMemory<byte>> arrived, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        try
        {
            for (var filled = 0; ;)
            {
                patience.CancelAfter(Silence);
                var count = await stream.ReadAsync(buffer.AsMemory(filled), patience.Token);
                if (count == 0)
                {
                    return;
                }

                filled += count;
                var used = Take(buffer.AsMemory(0, filled), arrived);
                buffer.AsSpan(used, filled - used).CopyTo(buffer);
                filled -= used;
            }
        }
        catch (OperationCanceledException late) when (!ct.IsCancellationRequested)
        {
            throw new IOException($"The other machine was silent for {Silence.TotalSeconds:0} s.", late);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Hands on every whole packet and returns how many bytes they were.</summary>
    internal int Take(ReadOnlyMemory<byte> bytes, Action<ReadOnlyMemory<byte>> arrived)
    {
        var at = 0;
        while (bytes.Length - at >= HeadBytes)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(bytes.Span[at..]);
            if (length > PacketDevice.LargestPacket)
            {
                throw new IOException($"A packet of {length} bytes came; the largest is {PacketDevice.LargestPacket}.");
            }

            if (bytes.Length - at - HeadBytes < length)
            {
                break;
            }

            var packet = bytes.Slice(at + HeadBytes, length);
            if (Address(packet.Span, 12, 8) is { } source && Has(source))
            {
                arrived(packet);
            }

            at += HeadBytes + length;
        }

        return at;
    }
}
