// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Tests;

/// <summary>An access log that a test reads: give it to one proxy, and read it when that has ended.</summary>
internal sealed class RecordedLog
{
    private readonly MemoryStream _stream = new();

    internal RecordedLog() => Log = new AccessLog(_stream, new TextLogFormat(), 1);

    internal AccessLog Log { get; }

    internal ProxyOptions In(ProxyOptions options)
    {
        Log.Start();
        return options with { Log = Log };
    }

    internal string[] Read()
    {
        Log.Dispose();
        return Encoding.UTF8.GetString(_stream.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
