// SPDX-License-Identifier: MIT
// validator/tasks/word_table.hpp
//
// The words that tasks are made of. Order and content are frozen: a change is a new protocol version.
//
// Threads  constants.
#pragma once

#include <array>
#include <string_view>

namespace adit::validator {

struct Capital {
  std::string_view country;
  std::string_view capital;  // one word, lower case
};

inline constexpr std::array<Capital, 60> kCapitals = {{
    {"France", "paris"}, {"Germany", "berlin"}, {"Italy", "rome"}, {"Spain", "madrid"},
    {"Portugal", "lisbon"}, {"Greece", "athens"}, {"Poland", "warsaw"}, {"Austria", "vienna"},
    {"Hungary", "budapest"}, {"Sweden", "stockholm"}, {"Norway", "oslo"}, {"Finland", "helsinki"},
    {"Denmark", "copenhagen"}, {"Ireland", "dublin"}, {"Belgium", "brussels"}, {"Switzerland", "bern"},
    {"Russia", "moscow"}, {"Ukraine", "kyiv"}, {"Romania", "bucharest"}, {"Bulgaria", "sofia"},
    {"Serbia", "belgrade"}, {"Croatia", "zagreb"}, {"Turkey", "ankara"}, {"Egypt", "cairo"},
    {"Morocco", "rabat"}, {"Kenya", "nairobi"}, {"Nigeria", "abuja"}, {"Ghana", "accra"},
    {"Senegal", "dakar"}, {"Tunisia", "tunis"}, {"Algeria", "algiers"}, {"Japan", "tokyo"},
    {"China", "beijing"}, {"South Korea", "seoul"}, {"Vietnam", "hanoi"}, {"Thailand", "bangkok"},
    {"Indonesia", "jakarta"}, {"Philippines", "manila"}, {"Nepal", "kathmandu"}, {"Pakistan", "islamabad"},
    {"Afghanistan", "kabul"}, {"Iran", "tehran"}, {"Iraq", "baghdad"}, {"Syria", "damascus"},
    {"Lebanon", "beirut"}, {"Jordan", "amman"}, {"Qatar", "doha"}, {"Canada", "ottawa"},
    {"Cuba", "havana"}, {"Peru", "lima"}, {"Chile", "santiago"}, {"Colombia", "bogota"},
    {"Ecuador", "quito"}, {"Venezuela", "caracas"}, {"Uruguay", "montevideo"}, {"Paraguay", "asuncion"},
    {"Brazil", "brasilia"}, {"Australia", "canberra"}, {"New Zealand", "wellington"}, {"Iceland", "reykjavik"},
}};

inline constexpr std::array<std::string_view, 64> kWords = {
    "apple",  "river",  "stone", "cloud",  "garden", "window", "yellow", "silver", "bridge", "candle", "forest",
    "island", "jacket", "kettle", "ladder", "mirror", "needle", "orange", "pencil", "rabbit", "saddle", "table",
    "violin", "wagon",  "anchor", "basket", "camera", "desert", "engine", "feather", "guitar", "hammer", "iron",
    "jungle", "kitten", "lemon", "market", "nickel", "ocean",  "pepper", "quartz", "ribbon", "sugar",  "ticket",
    "valley", "walnut", "button", "copper", "dragon", "falcon", "glove",  "harbor", "insect", "jewel",  "lantern",
    "marble", "oyster", "parrot", "rocket", "shadow", "tunnel", "velvet", "winter", "zebra",
};

}  // namespace adit::validator
