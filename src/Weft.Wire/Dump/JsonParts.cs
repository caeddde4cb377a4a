// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;
using Weft.Model;

namespace Weft.Wire.Dump;

/// <summary>Small pieces that several dumps share.</summary>
internal static class JsonParts
{
    private const int MsPerSecond = 1000;

    public static string Duration(long ms) => ms % MsPerSecond == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{ms / MsPerSecond}s")
        : string.Create(CultureInfo.InvariantCulture, $"{ms / MsPerSecond}.{ms % MsPerSecond:D3}s");

    public static void WriteAddress(Utf8JsonWriter json, string address, int port)
    {
        json.WriteStartObject("address");
        json.WriteStartObject("socket_address");
        json.WriteString("address", address);
        json.WriteNumber("port_value", port);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static void WriteAds(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject(name);
        json.WriteStartObject("ads");
        json.WriteEndObject();
        json.WriteString("resource_api_version", "V3");
        json.WriteEndObject();
    }

    /// <summary>A <c>typed_config</c> that says nothing but its type.</summary>
    public static void WriteTyped(Utf8JsonWriter json, string typeUrl)
    {
        json.WriteStartObject("typed_config");
        json.WriteString("@type", typeUrl);
        json.WriteEndObject();
    }

    public static void WriteTexts(Utf8JsonWriter json, string name, EquatableArray<string> texts)
    {
        if (texts.Count == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
