#pragma once
#include <dirent.h>
#include <sys/stat.h>
