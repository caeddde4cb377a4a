// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Weft.Proxy.Names;

/// <summary>
/// Asks DNS for addresses, with the time that they may be believed, which the system's own resolver does not tell. Never on a loop: it
/// waits for servers.
/// </summary>
internal sealed class NameResolver(NameSettings settings)
{
    private const int MaxServers = 3;
    private const int Rounds = 2;
    private const int SocketLevel = 1;
    private const int MarkOption = 36;
    private const int MaxUdpBytes = 4096;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    /// <summary>Null if no server gave an answer. IPv6 addresses are used where there are no others.</summary>
    internal async Task<NameAnswer?> AskAsync(string name, CancellationToken cancellation)
    {
        if (FindInHosts(name) is { Length: > 0 } known)
        {
            return new NameAnswer(known, 0);
        }

        var four = await AskAsync(name, DnsMessages.A, cancellation);
        return four is null or { Addresses.Length: > 0 } ? four : await AskAsync(name, DnsMessages.Aaaa, cancellation) ?? four;
    }

    private async Task<NameAnswer?> AskAsync(string name, ushort type, CancellationToken cancellation)
    {
        // What cannot be guessed cannot be forged from afar.
        var id = (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1);
        if (DnsMessages.Question(id, name, type) is not { } question)
        {
            return null;
        }

        for (var round = 0; round < Rounds; round++)
        {
            foreach (var server in Servers())
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                limit.CancelAfter(_patience);
                try
                {
                    if (await AskServerAsync(server, question, type, limit.Token) is { } answer)
                    {
                        return answer;
                    }
                }
                catch (Exception nobody) when (nobody is SocketException or IOException || (nobody is OperationCanceledException && !cancellation.IsCancellationRequested))
                {
                    // Nobody there, or too slow: the next one.
                }
            }
        }

        return null;
    }

    private async Task<NameAnswer?> AskServerAsync(IPEndPoint server, byte[] question, ushort type, CancellationToken cancellation)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        Mark(socket);
        await socket.ConnectAsync(server, cancellation);
        await socket.SendAsync(question, SocketFlags.None, cancellation);
        var buffer = new byte[MaxUdpBytes];
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer, SocketFlags.None, cancellation);
            var answer = DnsMessages.Answer(buffer.AsSpan(0, count), question, type, out var truncated);
            if (truncated)
            {
                return await AskLongAsync(server, question, type, cancellation);
            }

            // An answer to another question is not the end; one that refuses is.
            if (answer is not null || (count >= 2 && buffer.AsSpan(0, 2).SequenceEqual(question.AsSpan(0, 2))))
            {
                return answer;
            }
        }
    }

    /// <summary>Over TCP, for answers that do not fit.</summary>
    private async Task<NameAnswer?> AskLongAsync(IPEndPoint server, byte[] question, ushort type, CancellationToken cancellation)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        Mark(socket);
        await socket.ConnectAsync(server, cancellation);
        await using var stream = new NetworkStream(socket);
        var framed = new byte[question.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)question.Length);
        question.CopyTo(framed, 2);
        await stream.WriteAsync(framed, cancellation);
        var length = new byte[2];
        await stream.ReadExactlyAsync(length, cancellation);
        var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(answer, cancellation);
        return DnsMessages.Answer(answer, question, type, out _);
    }

    /// <summary>What the proxy itself asks must not be captured.</summary>
    private void Mark(Socket socket)
    {
        if (settings.Mark > 0)
        {
            socket.SetRawSocketOption(SocketLevel, MarkOption, BitConverter.GetBytes(settings.Mark));
        }
    }

    private IEnumerable<IPEndPoint> Servers() => Lines(settings.ResolvConf)
        .Where(words => words is ["nameserver", _, ..])
        .Select(words => IPAddress.TryParse(words[1], out var address) ? At(address) : null)
        .OfType<IPEndPoint>()
        .Take(MaxServers);

    private IPEndPoint At(IPAddress server) =>
        settings.ForProxies is { } own && own.Address.Equals(server) ? own : new IPEndPoint(server, settings.Port);

    private string[] FindInHosts(string name) => Lines(settings.Hosts)
        .Where(words => words.Skip(1).Contains(name, StringComparer.OrdinalIgnoreCase) && IPAddress.TryParse(words[0], out _))
        .Select(words => words[0]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();

    /// <summary>The files are small, and may change at any time.</summary>
    private static IEnumerable<string[]> Lines(string path) => !File.Exists(path) ? [] : File.ReadAllLines(path)
        .Select(line => line.Split('#')[0].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
        .Where(words => words.Length > 1);
}
