// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>directResponse: answer with a fixed response.</summary>
internal static class DirectResponses
{
    private const int MaxBody = 1 << 20;
    private const int LargeBody = 100 << 10;

    public static DirectResponsePlan Read(ObjectReader response)
    {
        var status = response.Required("status")?.AsInteger(200, 599) ?? 200;
        var body = "";
        if (response.Child("body") is { } source)
        {
            source.Exclusive("string", "bytes");
            body = source.Text("string") ?? Decode(source) ?? "";
            source.Finish();
            CheckSize(source, Encoding.UTF8.GetByteCount(body));
        }

        response.Finish();
        return new DirectResponsePlan(status, body);
    }

    private static void CheckSize(ObjectReader body, int size)
    {
        if (size > MaxBody)
        {
            body.Findings.Add(IstioMessages.BodyTooLarge, body.Place, YamlReader.Number(size), YamlReader.Number(MaxBody));
        }
        else if (size > LargeBody)
        {
            body.Findings.Add(IstioMessages.BodyLarge, body.Place, YamlReader.Number(size));
        }
    }

    /// <summary>bytes is base64. The plan's body is text, so it must be UTF-8.</summary>
    private static string? Decode(ObjectReader body)
    {
        if (body.Text("bytes") is not { } encoded)
        {
            return null;
        }

        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Convert.FromBase64String(encoded));
        }
        catch (Exception problem) when (problem is FormatException or DecoderFallbackException)
        {
            var field = body.Find("bytes")!.Value;
            field.Report(ReadingMessages.WrongType, field.Path, "UTF-8 text in base64", "that");
            return null;
        }
    }
}
