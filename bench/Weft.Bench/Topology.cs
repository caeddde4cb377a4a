// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Weft.Bench;

/// <summary>
/// What stands between the load generator and the origin: its proxies' processes and the port that takes requests.
/// Every topology uses the same origin, certificates, ciphers and one worker per proxy.
/// </summary>
internal sealed class Topology(string name, int port, Process[] proxies) : IDisposable
{
    public string Name { get; } = name;

    public int Port { get; } = port;

    public double CpuMicroseconds() => proxies.Sum(proxy => ProcessFigures.CpuMicroseconds(proxy.Id));

    public double ResidentMegabytes() => proxies.Sum(proxy => ProcessFigures.ResidentMegabytes(proxy.Id));

    public void Dispose()
    {
        foreach (var proxy in proxies)
        {
            if (!proxy.HasExited)
            {
                proxy.Kill(entireProcessTree: true);
                proxy.WaitForExit();
            }

            proxy.Dispose();
        }
    }
}
