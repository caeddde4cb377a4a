// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Names;

namespace Weft.Proxy.Tests.Names;

/// <summary>A DNS server on the loopback, over UDP and TCP, and the files that lead to it.</summary>
internal sealed class TestDns : IDisposable
{
    private readonly UdpClient _udp;
    private readonly TcpListener _tcp;
    private readonly string _folder = Directory.CreateTempSubdirectory("weft-dns").FullName;

    internal TestDns()
    {
        // Free for both: what the system chooses for one may be taken for the other.
        var port = TestProxy.FreePort();
        _udp = new UdpClient(new IPEndPoint(IPAddress.Loopback, port));
        _tcp = new TcpListener(IPAddress.Loopback, port);
        _tcp.Start();
        File.WriteAllText(Path.Combine(_folder, "resolv.conf"), "search nowhere\nnameserver 127.0.0.1\n");
        File.WriteAllText(Path.Combine(_folder, "hosts"), "192.0.2.44 listed.example # here\n");
        Settings = new NameSettings(Path.Combine(_folder, "resolv.conf"), Path.Combine(_folder, "hosts"), port, 0);
        new Thread(ServeUdp) { IsBackground = true }.Start();
        new Thread(ServeTcp) { IsBackground = true }.Start();
    }

    internal NameSettings Settings { get; }

    /// <summary>Addresses and seconds by name.</summary>
    internal ConcurrentDictionary<string, (string[] Addresses, int Seconds)> Names { get; } = new();

    /// <summary>Questions by name.</summary>
    internal ConcurrentDictionary<string, int> Asked { get; } = new();

    /// <summary>True answers over UDP that the answer is too long.</summary>
    internal bool Truncates { get; set; }

    internal bool IsSilent { get; set; }

    public void Dispose()
    {
        _udp.Dispose();
        _tcp.Stop();
        Directory.Delete(_folder, recursive: true);
    }

    private void ServeUdp()
    {
        try
        {
            while (true)
            {
                var from = new IPEndPoint(IPAddress.Any, 0);
                var question = _udp.Receive(ref from);
                if (question.Length == 0)
                {
                    // The socket was closed.
                    return;
                }

                if (!IsSilent)
                {
                    // A forged answer first: another id.
                    var answer = Answer(question, Truncates);
                    var forged = (byte[])answer.Clone();
                    forged[0] ^= 0xFF;
                    _udp.Send(forged, forged.Length, from);
                    _udp.Send(answer, answer.Length, from);
                }
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private void ServeTcp()
    {
        try
        {
            while (true)
            {
                using var client = _tcp.AcceptTcpClient();
                var stream = client.GetStream();
                var length = new byte[2];
                stream.ReadExactly(length);
                var question = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                stream.ReadExactly(question);
                var answer = Answer(question, truncated: false);
                BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)answer.Length);
                stream.Write(length);
                stream.Write(answer);
            }
        }
        catch (Exception stopped) when (stopped is SocketException or IOException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private byte[] Answer(byte[] question, bool truncated)
    {
        var name = new StringBuilder();
        var at = 12;
        for (; question[at] > 0; at += question[at] + 1)
        {
            name.Append(name.Length > 0 ? "." : "").Append(Encoding.ASCII.GetString(question, at + 1, question[at]));
        }

        var type = BinaryPrimitives.ReadUInt16BigEndian(question.AsSpan(at + 1));
        Asked.AddOrUpdate(name.ToString(), 1, (_, count) => count + 1);
        var known = Names.TryGetValue(name.ToString(), out var found);
        var family = type == DnsMessages.A ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        var records = truncated ? [] : (found.Addresses ?? []).Select(IPAddress.Parse).Where(a => a.AddressFamily == family).ToList();
        var answer = new List<byte>(question);
        answer[2] = (byte)(truncated ? 0x82 : 0x80);
        answer[3] = (byte)(known ? 0 : 3);
        answer[7] = (byte)records.Count;
        foreach (var record in records)
        {
            var bytes = record.GetAddressBytes();
            answer.AddRange([0xC0, 12, 0, (byte)type, 0, 1, 0, 0, (byte)(found.Seconds >> 8), (byte)found.Seconds, 0, (byte)bytes.Length, .. bytes]);
        }

        return [.. answer];
    }
}
