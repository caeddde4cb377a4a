// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Weft.Local.Dns;

/// <summary>
/// The cluster's resolver, UDP and TCP: its own names from the table, names of ServiceEntries for clients whose proxy takes their
/// connections, others from upstream. Proxies ask at a port of their own, where no ServiceEntry is known: they want to know where such a
/// host really is.
/// </summary>
internal sealed partial class DnsServer(IReadOnlyList<IPEndPoint> addresses, UpstreamResolver upstream, DnsClients clients, Random random, ILogger log)
{
    /// <summary>Connections beyond this are closed at once.</summary>
    public const int MaxConnections = 128;

    /// <summary>Questions that wait for another server; beyond this they fail at once.</summary>
    public const int MaxForwarded = 256;

    /// <summary>Where proxies ask.</summary>
    public const int ProxyPort = 5353;

    private const int MaxQueryBytes = 4096;

    private static readonly TimeSpan _idle = TimeSpan.FromSeconds(10);

    private readonly Lock _shuffling = new();
    private volatile NameTable _names = NameTable.Empty;
    private volatile EntryNames _entries = EntryNames.Empty;
    private int _connections;
    private int _forwarded;

    /// <summary>Takes the place of the table before; questions under way keep theirs.</summary>
    public void Apply(NameTable names) => _names = names;

    public void Apply(EntryNames entries) => _entries = entries;

    /// <summary>Serves until cancelled.</summary>
    public Task RunAsync(CancellationToken ct) => Task.WhenAll(addresses.Select(address => RunAsync(address, ct)));

    private async Task RunAsync(IPEndPoint address, CancellationToken ct)
    {
        await Task.WhenAll(RunAsync(address, forProxies: false, ct), RunAsync(new IPEndPoint(address.Address, ProxyPort), forProxies: true, ct));
    }

    private async Task RunAsync(IPEndPoint at, bool forProxies, CancellationToken ct)
    {
        using var udp = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(at);
        using var tcp = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        tcp.Bind(at);
        tcp.Listen(MaxConnections);
        await Task.WhenAll(ServeUdpAsync(udp, at, forProxies, ct), ServeTcpAsync(tcp, forProxies, ct));
    }

    /// <summary>The answer to one message; null when nothing should be said.</summary>
    /// <param name="client">Who asks; null for a proxy.</param>
    internal async Task<byte[]?> AnswerAsync(ReadOnlyMemory<byte> message, bool tcp, IPAddress? client, CancellationToken ct)
    {
        if (!DnsMessage.TryDecode(message.Span, out var query, out var refusal))
        {
            return refusal is { } code ? DnsMessage.Refuse(message.Span, code) : null;
        }

        var limit = tcp ? DnsMessage.MaxBytes : query.MaxUdpBytes;
        var isOwn = NameTable.Covers(query.Name);
        var records = isOwn ? _names.Find(query.Name, query.Type) : null;
        if (records is null && client is not null && clients.NamespaceOf(client) is { } ns && _entries.Find(query.Name, query.Type, ns) is { } entry)
        {
            return DnsMessage.Encode(message.Span, query, DnsCode.NoError, Shuffle(entry), authoritative: false, limit);
        }

        if (!isOwn)
        {
            return await ForwardAsync(message, ct)
                ?? DnsMessage.Encode(message.Span, query, DnsCode.ServerFailure, [], authoritative: false, limit);
        }

        return records is null
            ? DnsMessage.Encode(message.Span, query, DnsCode.NoSuchName, [], authoritative: true, limit)
            : DnsMessage.Encode(message.Span, query, DnsCode.NoError, Shuffle(records), authoritative: true, limit);
    }

    private async Task<byte[]?> ForwardAsync(ReadOnlyMemory<byte> message, CancellationToken ct)
    {
        if (Interlocked.Increment(ref _forwarded) > MaxForwarded)
        {
            Interlocked.Decrement(ref _forwarded);
            return null;
        }

        try
        {
            return await upstream.AskAsync(message, ct);
        }
        finally
        {
            Interlocked.Decrement(ref _forwarded);
        }
    }

    /// <summary>Clients take the first address: every one must come first at times.</summary>
    private DnsRecord[] Shuffle(IReadOnlyList<DnsRecord> records)
    {
        DnsRecord[] mixed = [.. records];
        if (mixed.Length > 1 && mixed[0].Type != DnsType.Cname)
        {
            lock (_shuffling)
            {
                random.Shuffle(mixed);
            }
        }

        return mixed;
    }

    private async Task ServeUdpAsync(Socket socket, IPEndPoint at, bool forProxies, CancellationToken ct)
    {
        var buffer = new byte[MaxQueryBytes];
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var got = await socket.ReceiveFromAsync(buffer, SocketFlags.None, at, ct);
                _ = ReplyAsync(socket, buffer[..got.ReceivedBytes], (IPEndPoint)got.RemoteEndPoint, forProxies, ct);
            }
            catch (SocketException e)
            {
                // An earlier answer could not be delivered.
                LogUdp(log, e.Message);
            }
        }
    }

    private async Task ReplyAsync(Socket socket, byte[] message, IPEndPoint client, bool forProxies, CancellationToken ct)
    {
        try
        {
            if (await AnswerAsync(message, tcp: false, forProxies ? null : client.Address, ct) is { } answer)
            {
                await socket.SendToAsync(answer, SocketFlags.None, client, ct);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            LogUdp(log, e.Message);
        }
    }

    private async Task ServeTcpAsync(Socket listener, bool forProxies, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var socket = await listener.AcceptAsync(ct);
            if (Interlocked.Increment(ref _connections) > MaxConnections)
            {
                Interlocked.Decrement(ref _connections);
                socket.Dispose();
                continue;
            }

            _ = ServeConnectionAsync(socket, forProxies, ct);
        }
    }

    private async Task ServeConnectionAsync(Socket socket, bool forProxies, CancellationToken ct)
    {
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            var client = forProxies ? null : (socket.RemoteEndPoint as IPEndPoint)?.Address;
            var length = new byte[2];
            while (true)
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
                limit.CancelAfter(_idle);
                await stream.ReadExactlyAsync(length, limit.Token);
                var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                await stream.ReadExactlyAsync(message, limit.Token);
                if (message.Length > MaxQueryBytes || await AnswerAsync(message, tcp: true, client, limit.Token) is not { } answer)
                {
                    return;
                }

                var framed = new byte[answer.Length + 2];
                BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)answer.Length);
                answer.CopyTo(framed, 2);
                await stream.WriteAsync(framed, limit.Token);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // The client is done, gone or too slow.
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }

    [LoggerMessage(5301, LogLevel.Debug, "A DNS answer could not be sent: {Reason}")]
    private static partial void LogUdp(ILogger log, string reason);
}
