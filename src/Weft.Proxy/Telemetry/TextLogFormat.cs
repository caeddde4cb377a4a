// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Telemetry;

/// <summary>Istio's default text: one line, fields in its order, <c>-</c> where there is nothing.</summary>
internal sealed class TextLogFormat : AccessLogFormat
{
    public override void Write(LogLine line, in RequestRecord record)
    {
        line.Raw("["u8);
        line.Time(record.StartUtc);
        line.Raw("] \""u8);
        line.Text(record.Method);
        line.Raw(" "u8);
        line.Text(record.Path);
        line.Raw(record.IsHttp2 ? " HTTP/2\" "u8 : record.MinorVersion == 0 ? " HTTP/1.0\" "u8 : " HTTP/1.1\" "u8);
        line.Number(record.Status);
        Outcome(line, record.Flags, record.Details, record.ConnectionTermination, record.TransportFailure);
        Sizes(line, record.RequestBytes, record.ResponseBytes, record.Duration);
        if (record.UpstreamServiceMs < 0)
        {
            line.Raw("-"u8);
        }
        else
        {
            line.Number(record.UpstreamServiceMs);
        }

        line.Raw(" \""u8);
        line.Text(record.ForwardedFor);
        line.Raw("\" \""u8);
        line.Text(record.UserAgent);
        line.Raw("\" \""u8);
        line.Text(record.RequestId);
        line.Raw("\" \""u8);
        line.Text(record.Authority);
        line.Raw("\""u8);
        Connection(line, record.Connection, record.Route);
    }

    public override void Write(LogLine line, in TunnelRecord record)
    {
        line.Raw("["u8);
        line.Time(record.StartUtc);
        line.Raw("] \"- - -\" 0"u8);
        Outcome(line, record.Flags, record.Details, record.ConnectionTermination, record.TransportFailure);
        Sizes(line, record.ReceivedBytes, record.SentBytes, record.Duration);
        line.Raw("- \"-\" \"-\" \"-\" \"-\""u8);
        Connection(line, record.Connection, "");
    }

    private static void Outcome(LogLine line, string flags, string details, string termination, string transport)
    {
        line.Raw(" "u8);
        line.Text(flags);
        line.Raw(" "u8);
        line.Text(details);
        line.Raw(" "u8);
        line.Text(termination);
        line.Raw(" \""u8);
        line.Text(transport);
        line.Raw("\" "u8);
    }

    private static void Sizes(LogLine line, long received, long sent, TimeSpan duration)
    {
        line.Number(received);
        line.Raw(" "u8);
        line.Number(sent);
        line.Raw(" "u8);
        line.Number((long)duration.TotalMilliseconds);
        line.Raw(" "u8);
    }

    private static void Connection(LogLine line, in ConnectionFactsRecord connection, string route)
    {
        line.Raw(" \""u8);
        line.Address(connection.UpstreamHost);
        line.Raw("\" "u8);
        line.Text(connection.Cluster);
        line.Raw(" "u8);
        line.Address(connection.UpstreamLocal);
        line.Raw(" "u8);
        line.Address(connection.DownstreamLocal);
        line.Raw(" "u8);
        line.Address(connection.DownstreamRemote);
        line.Raw(" "u8);
        line.Text(connection.ServerName);
        line.Raw(" "u8);
        line.Text(route);
        line.Raw("\n"u8);
    }
}
