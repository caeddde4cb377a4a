// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Kubernetes.Tests;

public sealed class QuantityTests
{
    [Theory]
    [InlineData("250m", "0.25")]
    [InlineData("1Gi", "1073741824")]
    [InlineData("1.5k", "1500")]
    [InlineData("2e3", "2000")]
    [InlineData("12E", "12000000000000000000")]
    [InlineData("1Ei", "1152921504606846976")]
    public void Amounts_are_read_as_kubernetes_writes_them(string text, string amount) =>
        Assert.Equal(decimal.Parse(amount, CultureInfo.InvariantCulture), Quantity.Parse(JsonValue.Create(text)));

    [Fact]
    public void A_number_is_an_amount_too() => Assert.Equal(2.5m, Quantity.Parse(JsonNode.Parse("2.5")));

    [Theory]
    [InlineData("")]
    [InlineData("much")]
    [InlineData("1Zi")]
    [InlineData("Gi")]
    [InlineData("79228162514264337593543950335E")]
    [InlineData("1000000000000000000000000000000000000000000")]
    public void What_is_no_amount_or_beyond_all_bounds_is_none(string text) => Assert.Null(Quantity.Parse(JsonValue.Create(text)));

    [Theory]
    [InlineData("3", "", "3")]
    [InlineData("0.25", "", "250m")]
    [InlineData("0.0001", "", "1m")]
    [InlineData("1073741824", "4Gi", "1Gi")]
    [InlineData("1572864", "4Gi", "1536Ki")]
    [InlineData("1000", "4Gi", "1000")]
    public void Amounts_are_written_in_the_units_they_are_compared_with(string amount, string like, string text) =>
        Assert.Equal(text, Quantity.Format(decimal.Parse(amount, CultureInfo.InvariantCulture), like));
}
