// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Weft.Bench.Peers;

/// <summary>
/// What stands between the load generator and the origin: its proxies' processes and the port that takes requests.
/// Every topology uses the same origin, certificates, ciphers and one worker per proxy.
/// </summary>
internal sealed class Topology(string name, int port, params Process[] proxies) : IDisposable
{
    private const int StartLimitMs = 20_000;
    private const int LookEveryMs = 20;

    public string Name { get; } = name;

    public int Port { get; } = port;

    public int Proxies => proxies.Length;

    /// <summary>User and system time of all its proxies so far.</summary>
    public double CpuMicroseconds() => proxies.Sum(proxy => ProcessFigures.CpuMicroseconds(proxy.Id));

    /// <summary>Resident memory of its largest proxy: what one pod pays.</summary>
    public double LargestMegabytes() => proxies.Length == 0 ? 0 : proxies.Max(proxy => ProcessFigures.ResidentMegabytes(proxy.Id));

    /// <summary>Waits until it takes connections; throws with what its processes said if one has ended.</summary>
    public Topology WhenListening()
    {
        using var never = new ManualResetEventSlim();
        for (var waited = 0; ; waited += LookEveryMs)
        {
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Connect(IPAddress.Loopback, Port);
                return this;
            }
            catch (SocketException failure)
            {
                if (waited >= StartLimitMs || proxies.Any(proxy => proxy.HasExited))
                {
                    throw new BenchException(
                        $"{Name} does not take connections at port {Port}: {failure.Message}. {string.Join(' ', proxies.Select(Tool.LastWordsOf))}", failure);
                }

                never.Wait(LookEveryMs);
            }
        }
    }

    public void Dispose()
    {
        foreach (var proxy in proxies)
        {
            Tool.Stop(proxy);
        }
    }
}
