// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace Weft.Proxy.Overload;

/// <summary>What this process uses, as the kernel and the loops say.</summary>
internal sealed class ProcessReadings(ProxyRuntime runtime) : IOverloadReadings, IDisposable
{
    /// <summary>Descriptors that are no connections: listeners, rings, files, the control plane's and operators' sockets.</summary>
    internal const int OtherDescriptors = 64;

    private readonly SafeFileHandle _pages = File.OpenHandle("/proc/self/statm");
    private readonly byte[] _text = new byte[128];

    public long ResidentBytes
    {
        get
        {
            // Total pages, then resident ones.
            var text = _text.AsSpan(0, RandomAccess.Read(_pages, _text, 0));
            var rest = text[(text.IndexOf((byte)' ') + 1)..];
            return Utf8Parser.TryParse(rest, out long pages, out _) ? pages * Environment.SystemPageSize : 0;
        }
    }

    public int OpenDescriptors => runtime.OpenChannels + OtherDescriptors;

    public int TakeLoopDelayMs() => runtime.TakeLongestRoundMs();

    public void Dispose() => _pages.Dispose();
}
