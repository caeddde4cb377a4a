// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Telemetry;

/// <summary>How a request is written down.</summary>
internal abstract class AccessLogFormat
{
    public abstract void Write(LogLine line, in RequestRecord record);

    public abstract void Write(LogLine line, in TunnelRecord record);
}
